"""Archives of the bus, and what they send again, as the service layer uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Workers import the ports, and do without what is behind these.
    from tidemill.domain.replay import Archive, Replay, ReplayOrder, Subscriber


class Replays(Protocol):
    """The bus of one program. Every method raises UnavailableError where the call may be repeated."""

    @property
    def bus(self) -> str:
        """The bus's name."""

    def subscribers(self) -> list[Subscriber]:
        """Who is deployed to hear of it. A rule that is no subscription of a kind is none."""

    def archives(self) -> list[Archive]:
        """Those that keep its facts, in the order of their names."""

    def start(self, order: ReplayOrder) -> bool:
        """Begin to send. False: there is a replay of this name, and nothing was begun."""

    def look(self, name: str) -> Replay | None:
        """A replay; None if there is none of this name."""

    def all(self) -> list[Replay]:
        """All that EventBridge remembers, the newest first. `rules` and `reason` are left out."""

    def cancel(self, name: str) -> bool:
        """Send nothing more; whether there was still something to cancel."""
