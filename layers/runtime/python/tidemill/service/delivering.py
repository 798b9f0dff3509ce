"""Delivering one webhook: what the job of the lane `webhooks` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidemill.domain.context import JobContext
from tidemill.domain.errors import InputError
from tidemill.domain.ports import Clock, Telemetry
from tidemill.domain.ports.webhooks import Endpoints, WebhookSender
from tidemill.domain.registry import JobRegistry
from tidemill.domain.signals import PermanentError, RateLimitedError, TransientError
from tidemill.domain.webhook.delivery import DELIVER_KIND, Sense, WebhookDelivery, body_of, judged
from tidemill.domain.webhook.endpoint import Endpoint, EndpointRef, Pause
from tidemill.domain.webhook.reach import Target
from tidemill.domain.webhook.signing import headers_of
from tidemill.domain.webhook_errors import ForbiddenAddressError, UnreachableError


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Makes one attempt of a delivery. What it raises is what becomes of its job."""

    endpoints: Endpoints
    sender: WebhookSender
    clock: Clock
    telemetry: Telemetry

    def __call__(self, delivery: WebhookDelivery, context: JobContext) -> int:
        """Sign it and send it; answers the status of the answer, which is a 2xx.

        The endpoint is read for each attempt: a new URL, a new secret and a pause count from the next one on.

        Raises:
            PermanentError: there is no such endpoint, it is paused or gone, or it leads where webhooks may not go.
            RateLimitedError: it asked to be left alone for a while (429 or 503 with Retry-After).
            TransientError: anything else that is no 2xx, or it is gone, and was changed while it answered.
            UnavailableError: AWS did not answer.
        """
        ref = EndpointRef(context.tenant, delivery.endpoint)
        endpoint = self._open(ref)
        target = self._target(endpoint)
        now_ms, body = self.clock.now_ms(), body_of(delivery, context.tenant)
        headers = headers_of(context.job_id, now_ms // 1000, body, endpoint.secrets_at(now_ms))
        try:
            answer = self.sender.post(target, headers, body)
        except ForbiddenAddressError as error:
            self.telemetry.alert("webhook_forbidden", endpoint=ref.name, tenant=ref.tenant, job_id=context.job_id)
            raise PermanentError(str(error)) from None
        except UnreachableError as error:
            raise TransientError(str(error)) from None
        judgement = judged(answer.status, answer.headers, datetime.fromtimestamp(now_ms / 1000, UTC))
        problem = f"endpoint {ref.name!r} {judgement.problem}"
        match judgement.sense:
            case Sense.DELIVERED:
                return answer.status
            case Sense.GONE:
                if not self._pause(endpoint, now_ms):
                    raise TransientError(f"{problem}, and was changed in the meantime")
                raise PermanentError(f"{problem}, and is paused. Fix: give it another URL, resume it, and redrive")
            case Sense.WAIT:
                raise RateLimitedError(problem, judgement.wait)
            case Sense.FAILED:
                raise TransientError(problem)

    def _open(self, ref: EndpointRef) -> Endpoint:
        endpoint = self.endpoints.find(ref)
        if endpoint is None:
            raise PermanentError(
                f"tenant {ref.tenant!r} has no endpoint {ref.name!r}. "
                f"Fix: `tidemill webhook create {ref.name} --url https://...`, then redrive"
            )
        if endpoint.pause is not None:
            why = "it answered 410 Gone" if endpoint.pause is Pause.GONE else "somebody paused it"
            fix = f"`tidemill webhook resume {ref.name}`, then redrive"
            raise PermanentError(f"endpoint {ref.name!r} is paused, because {why}. Fix: {fix}")
        return endpoint

    def _target(self, endpoint: Endpoint) -> Target:
        try:
            return self.sender.reach.target(endpoint.url)
        except InputError as error:
            # Written by hand, or by code that took more.
            raise PermanentError(f"endpoint {endpoint.ref.name!r}: {error}") from None

    def _pause(self, endpoint: Endpoint, now_ms: int) -> bool:
        """Whether it is paused. One that was changed in the meantime is left as it is: the next attempt asks it."""
        if not self.endpoints.change(endpoint, endpoint.paused(Pause.GONE, now_ms)):
            return False
        self.telemetry.alert("webhook_gone", endpoint=endpoint.ref.name, tenant=endpoint.ref.tenant)
        return True


def manned(registry: JobRegistry, deliver: Callable[[WebhookDelivery, JobContext], object]) -> JobRegistry:
    """The same registry, in which `deliver` delivers: what the worker of the lane of webhooks runs with."""
    jobs = [replace(one, function=deliver) if one.kind == DELIVER_KIND else one for one in registry]
    lanes, sagas = tuple(registry.lanes.values()), tuple(registry.sagas.values())
    return JobRegistry(*jobs, lanes=lanes, sagas=sagas, webhooks=registry.webhooks)
