"""One conditional update of one item, described once.

`tidemill.aws.updates` writes it as an UpdateItem, `tidemill.aws.statements` as a PartiQL statement; neither
holds a word of its own about jobs, so that the single and the batched form can't drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tidemill.aws.items import Attribute, Scalar, attribute, scalars
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import Guard, State, Verb, transition
from tidemill.domain.ports import Claim


class Comparison(Enum):
    """How a condition looks at one attribute.

    An absent attribute fails EQUALS and BELOW, so that a final job, which has no `claimable_at`, is never claimed.
    """

    EQUALS = "="
    BELOW = "<"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Change:
    """The shape of an update: attribute names only, so that its text is made once and kept."""

    sets: tuple[str, ...]
    conditions: tuple[tuple[str, Comparison], ...]
    increments: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    answers_before: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """A change of one job's record, with the values in the order of `sets` and of `conditions`."""

    ref: JobRef
    change: Change
    set_values: list[Attribute]
    condition_values: list[Attribute]


# The guard alone decides who may claim: `claimable_at` is the epoch from which the record may be claimed.
CLAIM: Final = Change(
    sets=("state", "claimable_at", "owner", "send_id", "sent_at", "started_at", "ttl"),
    increments=("fence", "attempt"),
    # What was in the due index stays there while the job runs: see Job.watched.
    removes=("attention_pk", "attention_sk", "progress"),
    conditions=(("claimable_at", Comparison.BELOW), ("fingerprint", Comparison.EQUALS)),
    answers_before=True,
)
_RUNNING: Final[Attribute] = {"S": transition(Verb.CLAIM).target.value}


def claiming(claim: Claim) -> Update:
    """The claim as an update."""
    return Update(
        claim.ref,
        CLAIM,
        [
            _RUNNING,
            {"N": str(claim.lease_until)},
            {"S": claim.owner},
            {"S": claim.held.send_id},
            {"N": str(claim.held.sent_at)},
            {"N": str(claim.now_ms)},
            {"N": str(claim.ttl_s)},
        ],
        [{"N": str(claim.now_ms)}, {"S": claim.fingerprint}],
    )


def moving(verb: Verb, before: Job, after: Job) -> Update:
    """What turns the record `before` into `after`, under the guard that the lifecycle names for `verb`."""
    old, new = scalars(before), scalars(after)
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    removed = tuple(dict.fromkeys([name for name in old if name not in new] + _unseen(verb)))
    conditions, values = _guard(verb, before)
    change = Change(sets=tuple(changed), removes=removed, conditions=conditions)
    return Update(before.ref, change, [attribute(value) for value in changed.values()], values)


def extending(job: Job, lease_until: int, progress: str | None) -> Update:
    """A longer lease, and the progress if it is given; it answers the record as it was before."""
    sets, values = ["claimable_at"], [attribute(lease_until)]
    if progress is not None:
        sets.append("progress")
        values.append(attribute(progress))
    conditions, expected = _guard(Verb.EXTEND, job)
    change = Change(sets=tuple(sets), conditions=conditions, answers_before=True)
    return Update(job.ref, change, values, expected)


def standing(job: Job) -> Update:
    """What holds of the record as it was read, as an update that changes nothing."""
    conditions, values = _conditions(Guard.UNCHANGED, job)
    return Update(job.ref, Change(sets=(), conditions=conditions), [], values)


def _unseen(verb: Verb) -> list[str]:
    """What may stand in a running job's record without its holder's knowledge, and is over with this move.

    A request to cancel is not over with a move that it forbids.
    """
    move = transition(verb)
    if move.guard not in (Guard.HOLDER, Guard.UNDISTURBED, Guard.UNANSWERED) or move.target is State.RUNNING:
        return []
    return ["cancel", "progress"] if move.target.is_final else ["progress"]


def _guard(verb: Verb, before: Job) -> tuple[tuple[tuple[str, Comparison], ...], list[Attribute]]:
    move = transition(verb)
    if before.state not in move.sources:
        raise ValueError(f"{verb} does not lead from {before.state}")
    return _conditions(move.guard, before)


def _conditions(guard: Guard, before: Job) -> tuple[tuple[tuple[str, Comparison], ...], list[Attribute]]:
    expected: Mapping[str, Scalar] = {"state": before.state.value, "fence": before.fence}
    absent: tuple[str, ...] = ()
    if guard in (Guard.UNCHANGED, Guard.UNTOLD):
        expected = {**expected, "generation": before.generation}
        if before.claimable_at is not None:
            expected = {**expected, "claimable_at": before.claimable_at}
        else:
            absent += ("claimable_at",)
    if guard in (Guard.UNDISTURBED, Guard.UNANSWERED) and not before.cancel_asked:
        absent += ("cancel",)
    if guard in (Guard.UNANSWERED, Guard.UNTOLD):
        if before.answers:
            expected = {**expected, "told": before.answers}
        else:
            absent += ("told",)
    conditions = [(name, Comparison.EQUALS) for name in expected]
    conditions += [(name, Comparison.ABSENT) for name in absent]
    return tuple(conditions), [attribute(value) for value in expected.values()]
