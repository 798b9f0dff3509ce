"""Looking after endpoints of webhooks: `client.webhooks`. Each change leaves its entry in the audit trail."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from tidemill.domain.duration import days
from tidemill.domain.errors import InputError, TidemillError, UnavailableError
from tidemill.domain.names import DEFAULT_TENANT, check_tenant, check_webhook
from tidemill.domain.ports import Clock
from tidemill.domain.ports.webhooks import Endpoints
from tidemill.domain.registry import JobRegistry
from tidemill.domain.webhook.delivery import TEST_TYPE, WebhookDelivery
from tidemill.domain.webhook.endpoint import Endpoint, EndpointRef, Pause, check_overlap
from tidemill.domain.webhook.reach import PUBLIC, Reach
from tidemill.domain.webhook.signing import key_of, secret_of
from tidemill.domain.webhook_errors import EndpointExistsError, EndpointNotFoundError
from tidemill.service.auditing import Auditor
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, Submitter

_Change: TypeAlias = "Callable[[Endpoint, int], Endpoint]"

_KEY_BYTES = 32
# Each refusal means that somebody else changed the endpoint in between.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class WebhookDesk:
    """Creates, changes and deletes endpoints. Every method raises UnavailableError if AWS does not answer.

    The intent stands in the audit trail before anything is changed: who, what and which endpoint, and neither its URL
    nor a secret.

    Every answer that has a secret is to be kept from logs; the text forms of endpoints show none.

    Arguments:
        reach: where endpoints may lead. Only tests have another than `PUBLIC`.
    """

    registry: JobRegistry
    endpoints: Endpoints
    submitter: Submitter
    auditor: Auditor
    clock: Clock
    reach: Reach = PUBLIC
    entropy: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)

    def create(self, name: str, url: str, *, secret: str | None = None, tenant: str = DEFAULT_TENANT) -> Endpoint:
        """Create the tenant's endpoint of this name; `secret` of the answer is for the receiver.

        The same URL and secret may be given again: what is there stays as it is.

        Arguments:
            name: one that the registry lists. `url`: `https://host/path`, to a public host, at most 2,048 characters.
            secret: `whsec_` and 24 to 64 bytes in base64; by default 32 random bytes.

        Raises:
            InputError: a field is bad; nothing was written.
            EndpointExistsError: there is one, with another URL or secret.
        """
        ref = self._ref(name, tenant)
        self.reach.target(url)
        secret = self._secret(secret)
        now_ms = self.clock.now_ms()
        endpoint = Endpoint(ref, url, secret, created_at=now_ms, changed_at=now_ms)
        with self.auditor.action("webhook.create", ref.tenant, {"endpoint": ref.name}) as tally:
            standing = self._created(endpoint)
            if (standing.url, standing.secret) != (url, secret):
                raise EndpointExistsError(ref.tenant, ref.name)
            tally.add("created", count=int(standing == endpoint))
        return standing

    def get(self, name: str, tenant: str = DEFAULT_TENANT) -> Endpoint:
        """The endpoint.

        Raises:
            EndpointNotFoundError: there is none.
        """
        ref = EndpointRef(check_tenant(tenant), check_webhook(name, "name"))
        endpoint = self.endpoints.find(ref)
        if endpoint is None:
            raise EndpointNotFoundError(ref.tenant, ref.name)
        return endpoint

    def lead_to(self, name: str, url: str, tenant: str = DEFAULT_TENANT) -> Endpoint:
        """Give the endpoint another URL, which counts from the next attempt on.

        Raises:
            InputError: it is no URL for webhooks. EndpointNotFoundError: there is no such endpoint.
        """
        self.reach.target(url)
        return self._changed("webhook.url", name, tenant, lambda endpoint, now_ms: endpoint.led_to(url, now_ms))

    def rotate(
        self,
        name: str,
        *,
        overlap: timedelta = days(1),
        secret: str | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Endpoint:
        """Give the endpoint a new secret, beside which the one before signs for `overlap`, 0 s to 30 days.

        Until then every webhook has both signatures: the receiver may change its secret at any moment of that time,
        and no webhook is refused. With an overlap of 0 the old secret signs no more: for one that others know.
        A `secret` that is the endpoint's already may be given again: the one before signs until its time, or with an
        overlap of 0 no more. If no answer comes, `get(name).secret` is the one that signs.

        Raises:
            InputError: a field is bad. EndpointNotFoundError: there is no such endpoint.
            RotationError: the secret before still signs, and `overlap` is not 0.
        """
        span, fresh = check_overlap(overlap), self._secret(secret)

        def rotated(endpoint: Endpoint, now_ms: int) -> Endpoint:
            return endpoint.rotated(fresh, span, now_ms)

        return self._changed("webhook.rotate", name, tenant, rotated, overlap=str(span))

    def pause(self, name: str, tenant: str = DEFAULT_TENANT) -> Endpoint:
        """Send nothing to the endpoint: its deliveries die with that reason, and can be redriven after a resume.

        Raises:
            EndpointNotFoundError: there is no such endpoint.
        """
        return self._changed(
            "webhook.pause", name, tenant, lambda endpoint, now_ms: endpoint.paused(Pause.ASKED, now_ms)
        )

    def resume(self, name: str, tenant: str = DEFAULT_TENANT) -> Endpoint:
        """Send to the endpoint again, whoever paused it. What died in between waits for its redrive.

        Raises:
            EndpointNotFoundError: there is no such endpoint.
        """
        return self._changed("webhook.resume", name, tenant, lambda endpoint, now_ms: endpoint.paused(None, now_ms))

    def delete(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        """Delete the endpoint and its secrets. Deliveries that are still to be made die with that reason.

        Raises:
            EndpointNotFoundError: there is no such endpoint.
        """
        ref = self.get(name, tenant).ref
        with self.auditor.action("webhook.delete", ref.tenant, {"endpoint": ref.name}) as tally:
            if not self.endpoints.delete(ref):
                raise EndpointNotFoundError(ref.tenant, ref.name)
            tally.add("deleted")

    def test(self, name: str, tenant: str = DEFAULT_TENANT) -> Receipt:
        """Send the endpoint a webhook of type `webhook.test`, signed and tried again as any other.

        Raises:
            InputError: the program lists no such webhook. EndpointNotFoundError: there is no such endpoint.
        """
        endpoint = self.get(name, tenant)
        self._ref(name, tenant)
        delivery = WebhookDelivery(endpoint=endpoint.ref.name, type=TEST_TYPE, at=self.clock.now_ms())
        (result,) = self.submitter.submit([Submission(delivery, tenant=endpoint.ref.tenant)])
        if isinstance(result, TidemillError):
            raise result
        return result

    def _ref(self, name: str, tenant: str) -> EndpointRef:
        ref = EndpointRef(check_tenant(tenant), check_webhook(name, "name"))
        if ref.name not in self.registry.webhooks:
            known = ", ".join(self.registry.webhooks) or "none"
            fix = f"JobRegistry(..., webhooks=['{ref.name}']), and deploy"
            raise InputError.at("name", f"no webhook {ref.name!r}; known: {known}. Fix: {fix}", "unknown_webhook")
        return ref

    def _secret(self, secret: str | None) -> str:
        if secret is None:
            return secret_of(self.entropy(_KEY_BYTES))
        key_of(secret)
        return secret

    def _changed(self, action: str, name: str, tenant: str, change: _Change, **chosen: str) -> Endpoint:
        before = self.get(name, tenant)
        if change(before, self.clock.now_ms()) == before:
            return before
        with self.auditor.action(action, before.ref.tenant, {"endpoint": before.ref.name, **chosen}) as tally:
            after = self._put(before, change)
            tally.add("changed")
            return after

    def _put(self, before: Endpoint, change: _Change) -> Endpoint:
        for _ in range(_TRIES):
            after = change(before, self.clock.now_ms())
            if after == before or self._is_put(before, after):
                return after
            before = self.get(before.ref.name, before.ref.tenant)
        raise UnavailableError("change_endpoint", "the endpoint kept changing")

    def _is_put(self, before: Endpoint, after: Endpoint) -> bool:
        try:
            return self.endpoints.change(before, after)
        except UnavailableError:
            # It may be written all the same, and a secret that was made here is known to nobody else.
            if self.endpoints.find(after.ref) != after:
                raise
            return True

    def _created(self, endpoint: Endpoint) -> Endpoint:
        """What stands there afterwards."""
        try:
            return self.endpoints.create(endpoint) or endpoint
        except UnavailableError:
            if self.endpoints.find(endpoint.ref) != endpoint:
                raise
            return endpoint
