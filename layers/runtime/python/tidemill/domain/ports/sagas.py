"""Step Functions, as sagas use it, and the table's memory of its task tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from tidemill.domain.errand import Awaited
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef


class ExecutionStatus(StrEnum):
    """What Step Functions says of an execution (API Reference, DescribeExecution: status)."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a saga's state machine. Times are Unix milliseconds.

    Attributes:
        given: what it was started with. `output`: what it ended with, parsed; None while there is none.
    """

    name: str
    status: ExecutionStatus
    given: dict[str, Any]
    started_at: int
    stopped_at: int | None = None
    output: Any = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """Something that happened in an execution: what, in which state, and an error's name."""

    at: int
    what: str
    state: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """Where an execution was when it ended: the state, and the data that it was entered with."""

    state: str
    data: dict[str, Any]


class Executions(Protocol):
    """The executions of the sagas' state machines."""

    def start(self, saga: str, name: str, given: dict[str, Any]) -> bool:
        """Start one under a name of its own; False if one of that name runs or has ended.

        Raises:
            UnavailableError: AWS did not answer. The same call with the same name is safe.
        """

    def look(self, saga: str, name: str) -> Execution | None:
        """The execution of this name; None if there is none, or its 90 days are over.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def history(self, saga: str, name: str) -> list[HistoryEvent]:
        """What happened in it, oldest first.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def left(self, saga: str, name: str, states: Collection[str]) -> Left | None:
        """Which of these states an execution that has ended entered last; None if it entered none of them.

        Raises:
            UnavailableError: AWS did not answer, or its history does not say yet that it ended. The call may be
                repeated.
        """


@dataclass(frozen=True, slots=True)
class Report:
    """How an awaited job ended: the `output` of one that succeeded, or the `error` and `cause` of another."""

    token: str
    output: str | None = None
    error: str = ""
    cause: str = ""


class TaskReports(Protocol):
    """Who is told that an awaited job is over."""

    def report(self, reports: Sequence[Report]) -> list[UnavailableError | None]:
        """Tell each. None where it is told, or where nobody waits any more: its state timed out, or was told before."""


class TaskTokens(Protocol):
    """The tokens under which the ends of jobs are awaited."""

    def keep(self, awaited: Sequence[Awaited], until_s: int) -> list[UnavailableError | None]:
        """Keep each until then (Unix seconds), beside earlier tokens of the same job; None where it is kept.

        What was `refused` last stays, where nothing is given.
        """

    def find(self, refs: Sequence[JobRef]) -> list[Awaited | None]:
        """What is awaited of each of these jobs, read consistently.

        Raises:
            UnavailableError: AWS did not answer.
        """
