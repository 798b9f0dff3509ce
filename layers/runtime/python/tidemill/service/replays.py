"""The operator's desk of replays: facts that were published once are heard again, by whom the operator chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidemill.domain import limits
from tidemill.domain.duration import minutes
from tidemill.domain.ports import Clock
from tidemill.domain.ports.replays import Replays
from tidemill.domain.replay import (
    Archive,
    Replay,
    ReplayOrder,
    Subscriber,
    check_kept,
    check_replay_name,
    check_span,
    chosen,
)
from tidemill.domain.replay_errors import ArchiveError, ReplayExistsError, ReplayNotFoundError, ReplayOverError
from tidemill.service.auditing import Auditor


@dataclass(frozen=True, slots=True)
class ReplayDesk:
    """Starts replays and looks after them. Every method raises UnavailableError if AWS does not answer.

    Arguments:
        settled: how long ago the archive has everything. User Guide of EventBridge, "Archiving events": ten minutes.
    """

    replays: Replays
    auditor: Auditor
    clock: Clock
    settled: timedelta = minutes(10)

    def subscribers(self) -> list[Subscriber]:
        """Who can be chosen."""
        return self.replays.subscribers()

    def start(
        self,
        to: Sequence[str],
        *,
        since: int,
        until: int,
        event: str | None = None,
        name: str | None = None,
        archive: str | None = None,
    ) -> Replay:
        """Send the facts of a span again; each becomes one job more for each kind of `to` that hears it.

        Its id follows from kind, fact and the replay's name: what EventBridge sends twice makes one job. Facts come
        about in the order of their minutes, and in no order within one.

        Arguments:
            to: kinds that hear events.
            since, until: when the facts happened, Unix milliseconds; `until` at least ten minutes ago,
                `since` within what the archive keeps.
            event: only facts of this type; by default of every type that these kinds hear.
            name: by default made of the time. A name makes its jobs once.
            archive: needed if the bus has several.

        Raises:
            InputError: an argument is bad. ArchiveError: there is no archive, or several and none is named.
            ReplayExistsError: there was a replay of this name. In each case nothing was begun.
        """
        now = self.clock.now_ms()
        begins, ends = check_span(since, until, now=now, settled=self.settled)
        name = check_replay_name(_named(self.replays.bus, now) if name is None else name)
        subscribers = chosen(self.replays.subscribers(), to, event)
        source = self._archive(archive)
        check_kept(begins, source, now=now)
        order = ReplayOrder(name, source.name, begins, ends, subscribers)
        about = {"replay": name, "to": ",".join(sorted(set(to))), "since": _told(begins), "until": _told(ends)}
        with self.auditor.action("replay", chosen={**about, **({"event": event} if event else {})}):
            if not self.replays.start(order):
                raise ReplayExistsError(name)
        return self.get(name)

    def get(self, name: str) -> Replay:
        """How far a replay is.

        Raises:
            ReplayNotFoundError: there is none of this name.
        """
        found = self.replays.look(check_replay_name(name))
        if found is None:
            raise ReplayNotFoundError(name)
        return found

    def all(self) -> list[Replay]:
        """Those that EventBridge knows, the newest first."""
        return self.replays.all()

    def cancel(self, name: str) -> Replay:
        """Send nothing more. What was sent are jobs already.

        Raises:
            ReplayNotFoundError: there is none of this name. ReplayOverError: it is over.
        """
        found = self.get(name)
        with self.auditor.action("cancel_replay", chosen={"replay": name}):
            if found.state.is_final or not self.replays.cancel(name):
                raise ReplayOverError(name, self.get(name).state)
        return self.get(name)

    def _archive(self, name: str | None) -> Archive:
        archives = {archive.name: archive for archive in self.replays.archives()}
        if name is None and len(archives) == 1:
            return next(iter(archives.values()))
        if name not in archives:
            raise ArchiveError(self.replays.bus, list(archives))
        return archives[name]


def _named(bus: str, now: int) -> str:
    at = datetime.fromtimestamp(now / 1_000, UTC).strftime("%Y%m%dT%H%M%S")
    return f"{bus[: limits.MAX_REPLAY_CHARS - len(at) - 1]}-{at}"


def _told(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat()
