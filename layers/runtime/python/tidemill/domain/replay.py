"""A replay: facts of a span that the archive of the bus sends again, to subscribers that an operator chose. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError

# API Reference, StartReplay: ReplayName.
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{limits.MAX_REPLAY_CHARS}}}", re.ASCII)
_SECOND_MS: Final = 1_000


class ReplayState(StrEnum):
    """How far it is. API Reference, DescribeReplay: State."""

    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is sent. What was sent before stays sent."""
        return self in {ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED}


@dataclass(frozen=True, slots=True)
class Archive:
    """Where the bus keeps its facts. `kept_for`: None if for ever."""

    name: str
    kept_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A kind that hears a type of event, and the ARN of its rule."""

    kind: str
    type: str
    rule: str


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What is to be sent again.

    Attributes:
        archive: its name. `since`, `until`: when the facts happened, Unix milliseconds, both whole seconds.
        to: who is to hear them; at least one.
    """

    name: str
    archive: str
    since: int
    until: int
    to: tuple[Subscriber, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as EventBridge knows it. Times are Unix milliseconds.

    Attributes:
        since, until: when the facts happened. `reached`: the time of the last one that was sent.
        reason: why it is in this state, where EventBridge says so.
        rules: whom it goes to, by ARN; empty where it was not asked for.
    """

    name: str
    state: ReplayState
    since: int
    until: int
    reached: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    reason: str = ""
    rules: tuple[str, ...] = ()


def check_replay_name(name: object) -> str:
    """Refuse what EventBridge does not take as a name.

    Raises:
        InputError: it is no text of 1 to 64 letters, digits, `.`, `-` and `_`.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        most = limits.MAX_REPLAY_CHARS
        raise InputError.at("name", f"must have 1 to {most} characters of letters, digits, '.', '-' and '_'", "format")
    return name


def check_span(since: int, until: int, *, now: int, settled: timedelta) -> tuple[int, int]:
    """The span in whole seconds, as EventBridge counts; it has every millisecond that was asked for.

    Arguments:
        settled: the archive has everything that was published longer ago than this.

    Raises:
        InputError: it is empty, or ends where the archive may lack something.
    """
    begins, ends = since // _SECOND_MS * _SECOND_MS, -(-until // _SECOND_MS) * _SECOND_MS
    if begins >= ends:
        raise InputError.at("since", "must be before the end of the span", "span")
    if until > now - milliseconds(settled):
        raise InputError.at(
            "until",
            f"must be at least {settled.total_seconds():.0f} seconds ago: the archive may lack what is younger",
            "too_young",
        )
    return begins, ends


def check_kept(since: int, archive: Archive, *, now: int) -> None:
    """Refuse a span that begins before what the archive still has: what is gone would be missed without a word.

    Raises:
        InputError: it does.
    """
    if archive.kept_for is not None and since < now - milliseconds(archive.kept_for):
        kept = archive.kept_for.days
        raise InputError.at(
            "since", f"is over {kept} days ago, and archive {archive.name!r} keeps no longer", "too_old"
        )


def chosen(subscribers: Sequence[Subscriber], kinds: Sequence[str], event: str | None) -> tuple[Subscriber, ...]:
    """Those of these kinds, of one type of event where it is named.

    Raises:
        InputError: a kind hears nothing of it, or none is named.
    """
    if not kinds:
        raise InputError.at("to", "must name at least one kind that hears events", "missing")
    heard = [one for one in subscribers if event is None or one.type == event]
    deaf = sorted(set(kinds) - {one.kind for one in heard})
    if deaf:
        known = ", ".join(sorted({one.kind for one in heard})) or "nobody"
        what = "any event" if event is None else event
        raise InputError.at("to", f"{', '.join(deaf)} hears nothing of {what}; who does: {known}", "unknown_subscriber")
    return tuple(one for one in heard if one.kind in kinds)
