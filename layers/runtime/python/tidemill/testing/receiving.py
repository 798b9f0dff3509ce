"""The receiver of webhooks in a harness: it takes what the program sends, and answers as the test wants."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemill.domain.ports.webhooks import HttpAnswer
from tidemill.domain.webhook_errors import UnreachableError
from tidemill.testing.endpoints import MemoryEndpoints
from tidemill.webhooks import WebhookMessage, verify

if TYPE_CHECKING:
    from tidemill.domain.ports import Clock, Telemetry
    from tidemill.domain.registry import JobRegistry
    from tidemill.domain.webhook.reach import Reach, Target


@dataclass(frozen=True, slots=True)
class SentWebhook:
    """One request that was made. `at_s`: when, Unix seconds."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float

    def message(self, secret: str) -> WebhookMessage:
        """What it says, verified as a receiver does.

        Raises:
            WebhookSignatureError: `secret` did not sign it.
        """
        return verify(self.headers, self.body, secret, self.at_s)


@dataclass
class Receiver:
    """Answers every webhook with 204, and otherwise what `answer` and `unreachable` planned, in that order.

    Attributes:
        sent: every request, in the order they were made. Those that failed are among them.
    """

    clock: Clock
    endpoints: MemoryEndpoints = field(default_factory=MemoryEndpoints)
    sent: list[SentWebhook] = field(default_factory=list)
    _planned: deque[HttpAnswer | None] = field(default_factory=deque)

    def answer(self, status: int, headers: Mapping[str, str] | None = None, *, times: int = 1) -> None:
        """Let the next `times` requests be answered so."""
        answer = HttpAnswer(status, {name.lower(): value for name, value in (headers or {}).items()})
        self._planned.extend([answer] * times)

    def unreachable(self, *, times: int = 1) -> None:
        """Let nobody answer the next `times` requests."""
        self._planned.extend([None] * times)

    @property
    def reach(self) -> Reach:
        """See WebhookSender: as deployed."""
        from tidemill.domain.webhook.reach import PUBLIC

        return PUBLIC

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """See WebhookSender."""
        url = f"{target.scheme}://{target.host}{target.path}"
        self.sent.append(SentWebhook(url, dict(headers), body, self.clock.now_ms() / 1000))
        answer = self._planned.popleft() if self._planned else HttpAnswer(204, {})
        if answer is None:
            raise UnreachableError(target.host, "nobody answers, as planned")
        return answer

    def manned(self, registry: JobRegistry, telemetry: Telemetry) -> JobRegistry:
        """The registry of workers whose webhooks come here; one without webhooks stays as it is."""
        if not registry.webhooks:
            return registry
        from tidemill.service.delivering import Deliverer, manned

        return manned(registry, Deliverer(self.endpoints, self, self.clock, telemetry))
