"""Task tokens in memory, and Step Functions with the program's own state machines: the reference implementations."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tidemill.domain.errand import Awaited
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.ports import Clock, Execution, ExecutionStatus, HistoryEvent, Left, Report
from tidemill.domain.saga.machine import compiled
from tidemill.domain.saga.saga import Saga
from tidemill.testing.machines import Run, SendTo


@dataclass
class MemoryTokens:
    """`TaskTokens` in a dictionary, where nothing is collected."""

    kept: dict[JobRef, Awaited] = field(default_factory=dict)

    def keep(self, awaited: Sequence[Awaited], until_s: int) -> list[UnavailableError | None]:  # noqa: ARG002 - see above
        """See TaskTokens."""
        for one in awaited:
            before = self.kept.get(one.ref, one)
            tokens = tuple(sorted({*before.tokens, *one.tokens}))
            self.kept[one.ref] = replace(one, tokens=tokens, refused=one.refused or before.refused)
        return [None] * len(awaited)

    def find(self, refs: Sequence[JobRef]) -> list[Awaited | None]:
        """See TaskTokens."""
        return [self.kept.get(ref) for ref in refs]


@dataclass
class MemoryMachines:
    """`Executions` and `TaskReports`: the state machines of these sagas, interpreted in this process.

    Arguments:
        send: puts a message body into a lane's queue.

    Attributes:
        runs: the executions by name.
    """

    sagas: Mapping[str, Saga]
    clock: Clock
    send: SendTo
    runs: dict[str, Run] = field(default_factory=dict)
    _began: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    _tokens: int = 0

    def start(self, saga: str, name: str, given: dict[str, Any]) -> bool:
        """See Executions."""
        if name in self.runs:
            return False
        now_ms = self.clock.now_ms()
        context = {"Execution": {"Name": name}}
        run = Run(compiled(self.sagas[saga], lambda lane: lane), given, context, self.send, self._token)
        self.runs[name], self._began[name] = run, (now_ms, given)
        run.begin(now_ms)
        return True

    def look(self, saga: str, name: str) -> Execution | None:  # noqa: ARG002 - names are unique here
        """See Executions."""
        run = self.runs.get(name)
        if run is None:
            return None
        started_at, given = self._began[name]
        status = ExecutionStatus(run.status)
        stopped_at = None if status is ExecutionStatus.RUNNING else run.events[-1][0]
        return Execution(name, status, given, started_at, stopped_at, run.output, run.error, run.cause)

    def history(self, saga: str, name: str) -> list[HistoryEvent]:  # noqa: ARG002 - see look
        """See Executions."""
        return [HistoryEvent(*event) for event in self.runs[name].events] if name in self.runs else []

    def left(self, saga: str, name: str, states: Collection[str]) -> Left | None:  # noqa: ARG002 - see look
        """See Executions."""
        run = self.runs[name]
        places = [place for place in run.entered if run.events[place][2] in states]
        return Left(run.events[places[-1]][2], json.loads(run.entered[places[-1]])) if places else None

    def report(self, reports: Sequence[Report]) -> list[UnavailableError | None]:
        """See TaskReports."""
        for one in reports:
            self._tell(one)
        return [None] * len(reports)

    def next_at(self) -> int | None:
        """When a machine does something by itself, Unix milliseconds."""
        times = [at for run in self.runs.values() if (at := run.next_at()) is not None]
        return min(times, default=None)

    def ring(self) -> None:
        """Let happen what is due: timeouts, and tries again."""
        for run in list(self.runs.values()):
            run.tick(self.clock.now_ms())

    def _tell(self, report: Report) -> None:
        now_ms = self.clock.now_ms()
        for run in self.runs.values():
            if report.token not in run.tokens:
                continue
            if report.output is not None:
                # What is no JSON would be refused there too.
                json.loads(report.output)
                run.succeed(report.token, report.output, now_ms)
            else:
                run.fail(report.token, report.error, report.cause, now_ms)
            return

    def _token(self) -> str:
        self._tokens += 1
        return f"token-{self._tokens}"
