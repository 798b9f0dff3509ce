"""The states of a job and the moves between them, as data.

The store's conditions, the model checks and the diagram in the docs are generated from `TRANSITIONS` and `BIRTHS`;
a move that is not listed here can't be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands. `succeeded`, `dead`, `cancelled` and `expired` are final in their generation."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether no move leads out of this state within its generation."""
        return self in FINAL


FINAL: Final = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED})


class Verb(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"
    COMPLETE = "complete"
    RETRY = "retry"
    PARK = "park"
    WAIT = "wait"
    BURY = "bury"
    EXPIRE = "expire"
    EXTEND = "extend"
    ASK_CANCEL = "ask_cancel"
    STOP = "stop"
    KILL = "kill"
    CANCEL = "cancel"
    REVIVE = "revive"
    REPORT_DEAD = "report_dead"
    CLOSE = "close"
    RESCUE = "rescue"
    REDRIVE = "redrive"
    RERUN = "rerun"
    REOPEN = "reopen"
    RESCHEDULE = "reschedule"
    MOVE = "move"
    POSTPONE = "postpone"
    SHELVE = "shelve"
    TELL = "tell"


class Guard(StrEnum):
    """What beside the state must hold for a move."""

    CLAIMABLE = "claimable_at has passed and the fingerprint is the message's"
    HOLDER = "the writer's fence is the record's"
    UNDISTURBED = "the writer's fence is the record's, and nobody asked to cancel without its knowledge"
    UNANSWERED = "the writer's fence is the record's, and nobody asked to cancel or answered without its knowledge"
    UNCHANGED = "the record is still as the writer read it"
    UNTOLD = "the record is still as the writer read it, with as many answers"


@dataclass(frozen=True, slots=True)
class Transition:
    """One verb: from which states, to which, under which guard, and whether it opens a new generation."""

    verb: Verb
    sources: frozenset[State]
    target: State
    guard: Guard
    new_generation: bool = False


@dataclass(frozen=True, slots=True)
class Birth:
    """How a record comes to be where there was none: through what, and in which state."""

    through: str
    state: State


BIRTHS: Final = (
    Birth("submit", State.SCHEDULED),
    Birth("submit", State.QUEUED),
    # The worker was faster than the submitter's record.
    Birth("claim", State.RUNNING),
    # A message that can't become a job: its record is written dead, in one write with its evidence.
    Birth("refuse", State.DEAD),
    # An id that no job is to have: the tick of a schedule that is skipped, missed or withdrawn.
    Birth("withdraw", State.CANCELLED),
    # The saga of a job that never came goes on without it: its message, if it still comes, finds it over.
    Birth("close", State.CANCELLED),
)

_WAITING: Final = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})
_RUNNING: Final = frozenset({State.RUNNING})
_DEAD: Final = frozenset({State.DEAD})
_RERUNNABLE: Final = frozenset({State.DEAD, State.CANCELLED, State.EXPIRED})

TRANSITIONS: Final = (
    # Over a running job only once its lease is over: claimable_at is the lease's end then.
    Transition(Verb.CLAIM, _WAITING | _RUNNING, State.RUNNING, Guard.CLAIMABLE),
    Transition(Verb.COMPLETE, _RUNNING, State.SUCCEEDED, Guard.HOLDER),
    # A job that was asked to stop waits for nothing: its holder stops it instead.
    Transition(Verb.RETRY, _RUNNING, State.RETRYING, Guard.UNDISTURBED),
    Transition(Verb.PARK, _RUNNING, State.SCHEDULED, Guard.UNDISTURBED),
    # It waits for an answer. One that came since the job was claimed may be the one that it did not find.
    Transition(Verb.WAIT, _RUNNING, State.SCHEDULED, Guard.UNANSWERED),
    Transition(Verb.BURY, _RUNNING, State.DEAD, Guard.HOLDER),
    Transition(Verb.EXPIRE, _RUNNING, State.EXPIRED, Guard.HOLDER),
    # A sign of life: the lease is longer, and readers see the progress.
    Transition(Verb.EXTEND, _RUNNING, State.RUNNING, Guard.HOLDER),
    # A running job is asked to stop; the worker that holds it ends it as cancelled when the job has seen it.
    Transition(Verb.ASK_CANCEL, _RUNNING, State.RUNNING, Guard.UNCHANGED),
    Transition(Verb.STOP, _RUNNING, State.CANCELLED, Guard.HOLDER),
    # Without asking it: its worker loses the fence and learns of it at the next thing that it wants recorded.
    Transition(Verb.KILL, _RUNNING, State.CANCELLED, Guard.UNCHANGED),
    Transition(Verb.CANCEL, _WAITING, State.CANCELLED, Guard.UNCHANGED),
    # Over a running job only if the table had owned it when it was claimed and its lease is over: its message
    # may have been a copy that was already deleted, so that nobody else would bring it back.
    Transition(Verb.REVIVE, frozenset({State.SCHEDULED}) | _RUNNING, State.QUEUED, Guard.UNCHANGED),
    # The census found the message in the DLQ: SQS gave up before a worker could say why.
    Transition(Verb.REPORT_DEAD, _WAITING | _RUNNING, State.DEAD, Guard.UNCHANGED),
    # The same, of a job that only waits for its next attempt: duplicates or lost invocations have used up its
    # message, and the table answers for it from now on. Each rescue needs an attempt that a worker concluded.
    Transition(Verb.RESCUE, frozenset({State.RETRYING}), State.SCHEDULED, Guard.UNCHANGED),
    # The saga of a dead job goes on without it: it is never redriven again.
    Transition(Verb.CLOSE, _DEAD, State.DEAD, Guard.UNCHANGED),
    # A worker meets the held message again, later than it was held: an operator put it back. Over a
    # running job when its crashes had used up its lives, or the redrive would end as poison at once.
    Transition(Verb.REDRIVE, _DEAD | _RUNNING, State.RUNNING, Guard.UNCHANGED, new_generation=True),
    # A worker meets a message that asks for a later generation than the record's.
    Transition(Verb.RERUN, _RERUNNABLE, State.RUNNING, Guard.UNCHANGED, new_generation=True),
    # The sender of such a message makes it visible before a worker does.
    Transition(Verb.REOPEN, _RERUNNABLE, State.QUEUED, Guard.UNCHANGED, new_generation=True),
    # The same with a delay longer than a queue can hold: the record itself is the acceptance.
    Transition(Verb.RESCHEDULE, _RERUNNABLE, State.SCHEDULED, Guard.UNCHANGED, new_generation=True),
    # Somebody wants it at another time, and the table sends it.
    Transition(Verb.MOVE, frozenset({State.SCHEDULED}), State.SCHEDULED, Guard.UNCHANGED),
    # The same where only its message has the arguments: no claim before the new time, which is later.
    Transition(Verb.POSTPONE, frozenset({State.QUEUED}), State.QUEUED, Guard.UNCHANGED),
    # The table takes it over from its queue: from the message that came before a postponed job's time, or because it
    # has the arguments and the message in the queue has the wrong time.
    Transition(Verb.SHELVE, frozenset({State.QUEUED}), State.SCHEDULED, Guard.UNCHANGED),
    # Somebody answered a job that runs, and may be about to wait.
    Transition(Verb.TELL, _RUNNING, State.RUNNING, Guard.UNTOLD),
)

_BY_VERB: Final = {transition.verb: transition for transition in TRANSITIONS}


def transition(verb: Verb) -> Transition:
    """The one row of the table for `verb`."""
    return _BY_VERB[verb]


def allows(verb: Verb, state: State) -> bool:
    """Whether `verb` may leave `state`."""
    return state in _BY_VERB[verb].sources


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    edges = [
        f"    {source} --> {move.target}: {move.verb}{' (generation + 1)' if move.new_generation else ''}"
        for move in TRANSITIONS
        for source in State
        if source in move.sources
    ]
    starts = [f"    [*] --> {birth.state}: {birth.through}" for birth in BIRTHS]
    ends = [f"    {state} --> [*]" for state in (State.SUCCEEDED,)]
    return "\n".join(["stateDiagram-v2", *starts, *edges, *ends])


def check_birth(through: str, state: State) -> None:
    """Refuse a new record that the table does not list.

    Raises:
        ValueError: no record is born in `state` through this; a bug of the caller.
    """
    if Birth(through, state) not in BIRTHS:
        raise ValueError(f"no record is born {state} through {through}")


def check_move(verb: Verb, source: State, target: State) -> None:
    """Refuse a move that the table does not list.

    Raises:
        ValueError: `verb` does not lead from `source` to `target`; a bug of the caller.
    """
    if not allows(verb, source) or transition(verb).target is not target:
        raise ValueError(f"{verb} does not lead from {source} to {target}")
