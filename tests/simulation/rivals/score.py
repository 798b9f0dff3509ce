"""What became of the orders, counted the same way for every rival."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from tests.simulation.watchers.invariants import FINAL
from tidemill.domain.ids import keyed_job_id
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from tests.simulation.rivals.match import Match


# What the textbook's row says, in the words of the lifecycle.
_WORDS = {"failed": "dead"}


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over schedules.

    Attributes:
        accepted: orders whose caller was told so. `succeeded`: those of them whose work came to its end.
        lost: accepted, did not succeed, and nothing at the end shows it.
        duplicates: effects beyond the first of each order, at a dependency that recognises no repeat.
        keyed_duplicates: the same, at one that applies each key that it is given once.
        never_ran: stood in the DLQ unfinished, was redriven at the console, and was not even started.
        stuck: accepted, and at the end neither succeeded nor shown as failed: a message goes round, or a row waits.
        dead: stood unfinished in the DLQ when everything had healed: a person had to redrive them.
        dead_healthy: those of them whose own code never fails.
        false_alarms: had finished, and a message of theirs stood in the DLQ all the same.
        failed: accepted, and failed in plain sight at the end, after the redrive.
        wrong_rows: accepted, and the state that is kept says succeeded of one that did not, or else of one that did.
        violated: schedules that broke an invariant of the simulation; watched only where Tidemill's table is.
    """

    schedules: int = 0
    calls: int = 0
    faults: int = 0
    accepted: int = 0
    succeeded: int = 0
    lost: int = 0
    duplicates: int = 0
    keyed_duplicates: int = 0
    never_ran: int = 0
    stuck: int = 0
    dead: int = 0
    dead_healthy: int = 0
    false_alarms: int = 0
    failed: int = 0
    wrong_rows: int = 0
    violated: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an operator sees at one moment, by the numbers of the orders.

    Attributes:
        queued, dead: whose messages the queue and the DLQ hold. `rows`: the states that the rival keeps.
        started, finished: how often, as the book has it.
    """

    queued: frozenset[int] = frozenset()
    dead: frozenset[int] = frozenset()
    rows: Mapping[int, str] = field(default_factory=dict)
    started: Mapping[int, int] = field(default_factory=dict)
    finished: frozenset[int] = frozenset()


def look(match: Match) -> Seen:
    """Look at everything that there is to see."""
    return Seen(
        queued=frozenset(_number(message.body) for message in match.cloud.waiting()),
        dead=frozenset(_number(message.body) for message in match.cloud.buried()),
        rows=_rows(match),
        started=dict(match.book.started),
        finished=frozenset(match.book.finished),
    )


def count(match: Match, before: Seen, after: Seen, violated: int) -> Score:
    """One schedule. `before` and `after` the redrive."""
    orders, accepted = match.book.orders, match.accepted
    unfinished = accepted - after.finished
    shown = {number for number in unfinished if number in after.dead or after.rows.get(number) == "dead"}
    waiting = {number for number in unfinished - shown if number in after.queued or _waits(after.rows.get(number))}
    redriven = before.dead - before.finished
    effects = _effects(match)
    return Score(
        schedules=1,
        calls=match.calls.made,
        faults=match.calls.faults + match.struck,
        accepted=len(accepted),
        succeeded=len(accepted & after.finished),
        lost=len(unfinished - shown - waiting),
        duplicates=sum(max(len(keys) - 1, 0) for keys in effects.values()),
        keyed_duplicates=sum(max(len(set(keys)) - 1, 0) for keys in effects.values()),
        never_ran=sum(before.started.get(one, 0) == after.started.get(one, 0) for one in redriven - after.finished),
        stuck=len(waiting),
        dead=len(redriven),
        dead_healthy=sum(orders[number].is_healthy for number in redriven),
        false_alarms=len(before.dead & before.finished),
        failed=len(shown),
        wrong_rows=_wrong_rows(match, after),
        violated=violated,
    )


def _waits(state: str | None) -> bool:
    return state is not None and state not in FINAL


def _wrong_rows(match: Match, after: Seen) -> int:
    if not match.rival.has_rows:
        return 0
    says = {number for number in match.accepted if after.rows.get(number) == "succeeded"}
    return len(says ^ (match.accepted & after.finished))


def _effects(match: Match) -> dict[int, list[str]]:
    """By number, the key of every effect."""
    effects: dict[int, list[str]] = {number: [] for number in match.book.orders}
    for key, number in match.dependency.applied.items():
        effects[number].extend([key] * match.dependency.asked[key])
    return effects


def _rows(match: Match) -> dict[int, str]:
    if match.rival.handler:
        states = {key: _WORDS.get(state, state) for key, state in match.cloud.rows().items()}
        return {one.number: states[one.order_id] for one in match.book.orders.values() if one.order_id in states}
    records = match.cloud.records()
    jobs = {number: _job(order.order_id) for number, order in match.book.orders.items()}
    return {number: records[job]["state"]["S"] for number, job in jobs.items() if job in records}


def _job(order_id: str) -> str:
    return f"{DEFAULT_TENANT}#{keyed_job_id(DEFAULT_TENANT, 'shop.fulfil', order_id)}"


def _number(body: str) -> int:
    document: Any = json.loads(body)
    return int(document.get("args", document)["number"])
