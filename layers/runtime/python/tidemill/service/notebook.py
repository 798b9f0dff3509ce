"""One attempt's view of what its job remembers: steps, step keys, the cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.definition import OnCodeChange
from tidemill.domain.errors import CodeChangedError, InputError, StepError
from tidemill.domain.job import Job
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, check_step_name, encode_cursor
from tidemill.domain.ports import Clock, JobMemory, Payloads, Telemetry
from tidemill.domain.result import encode_result

_STEP: Final = "step"


@dataclass
class Notebook:
    """Opens the job's memory when it is first asked for, so that a job without steps pays nothing. Safe for threads.

    Arguments:
        job: as claimed.
        on_code_change: of the kind. `code`: the version of this code, "" if the deployment names none.
        keep_ms: how long the memory outlives the attempt, milliseconds.
    """

    memory: JobMemory
    payloads: Payloads
    clock: Clock
    telemetry: Telemetry
    job: Job
    on_code_change: OnCodeChange
    code: str
    keep_ms: int
    _opened: Memory | None = None
    _used: dict[str, None] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def recall(self, name: str) -> Remembered | None:
        """The step of this name if it is remembered; it counts as used in this attempt.

        Raises:
            StepError: the name can't be one or was used before, or the job has as many steps as it may.
            CodeChangedError: another version of the code recorded steps, and the kind does not go on from those.
            FenceLostError, UnavailableError: the memory could not be opened.
        """
        with self._lock:
            memory = self._open()
            if check_step_name(name) in self._used:
                raise StepError.at(
                    _STEP, f"the name {name!r} was used before in this attempt. Fix: give each step its own", "repeated"
                )
            found = memory.steps.get(name)
            if found is None:
                self._check_new(memory, name)
            self._used[name] = None
            return found

    def record(self, name: str, value: object) -> str | None:
        """Remember what the step returned; answers it as JSON text.

        Raises:
            StepError: the value is not JSON, or too large.
            FenceLostError, UnavailableError: see JobMemory.remember.
        """
        text = _encoded(name, value)
        with self._lock:
            memory = self._open()
            step = Remembered(name, memory.next_number, text, self.clock.now_ms(), self.job.generation, self.code)
            data = (text or "").encode("utf-8")
            if len(data) > limits.MAX_INLINE_STEP_BYTES:
                # The fence in the name keeps two attempts' bytes apart.
                where = f"step/{self.job.fence}/{step.number}"
                step = replace(step, result=None, stored=self.payloads.put(self.job.ref, where, data))
            self.memory.remember(self.job, step)
            self._opened = memory.remembering(step)
            return text

    def read(self, step: Remembered) -> str | None:
        """What a remembered step returned, as JSON text.

        Raises:
            PayloadGoneError, IntegrityError, UnavailableError: see Payloads.get.
        """
        if step.stored is None:
            return step.result
        return self.payloads.get(self.job.ref, step.stored).decode("utf-8")

    def key(self, name: str) -> str:
        """See JobContext.step_key."""
        with self._lock:
            epoch = self._open().epoch
        again = f"/{epoch}" if epoch else ""
        return f"{self.job.ref.id}/{check_step_name(name)}{again}"

    @property
    def cursor(self) -> Any:
        """See JobContext.cursor."""
        with self._lock:
            text = self._open().cursor
        return None if text is None else json.loads(text)

    def checkpoint(self, cursor: object, *, hand_over: bool) -> None:
        """Record the cursor; with `hand_over`, another invocation goes on from it.

        Raises:
            StepError: the cursor is no JSON or too large, or the job was handed over too often.
            FenceLostError, UnavailableError: see JobMemory.checkpoint.
        """
        text = encode_cursor(cursor)
        with self._lock:
            memory = self._open()
            hand_overs = memory.hand_overs + hand_over
            if hand_overs > limits.MAX_HAND_OVERS:
                raise StepError.at(
                    "cursor",
                    f"the job was handed over {limits.MAX_HAND_OVERS} times, which is the most. "
                    "Fix: split the work into several jobs",
                    "hand_overs",
                )
            self._warn("hand_overs", hand_overs, limits.MAX_HAND_OVERS)
            self.memory.checkpoint(self.job, text, hand_overs)
            self._opened = replace(memory, cursor=text, hand_overs=hand_overs)

    def unused(self) -> tuple[str, ...]:
        """Steps that another version of the code recorded and that this attempt never asked for."""
        steps = self._opened.steps if self._opened else {}
        return tuple(name for name, step in steps.items() if name not in self._used and step.code != self.code)

    def _open(self) -> Memory:
        if self._opened is None:
            until_ms = self.clock.now_ms() + self.keep_ms
            self._opened = self._revised(self.memory.open(self.job, until_ms // 1000 + 1))
        return self._opened

    def _revised(self, memory: Memory) -> Memory:
        """What still counts of it, for this generation and this version of the code."""
        revised = memory.obeying(self.job.generation)
        if any(self._is_of_other_code(step) for step in revised.steps.values()):
            if self.on_code_change is OnCodeChange.STOP:
                raise CodeChangedError("code_changed", "the job has steps of another version of the code")
            if self.on_code_change is OnCodeChange.RESTART:
                revised = revised.forgetting(EVERYTHING)
        if revised is not memory:
            self.memory.forget(self.job, revised)
        return revised

    def _check_new(self, memory: Memory, name: str) -> None:
        if len(memory.steps) >= limits.MAX_STEPS:
            raise StepError.at(
                _STEP,
                f"the job has {limits.MAX_STEPS} steps, which is the most. "
                "Fix: checkpoint a cursor instead, or split the work into several jobs",
                "too_many",
            )
        self._warn("steps", len(memory.steps) + 1, limits.MAX_STEPS)
        if self.on_code_change is not OnCodeChange.CHECK:
            return
        awaited = [
            step.name for step in memory.steps.values() if self._is_of_other_code(step) and step.name not in self._used
        ]
        if awaited:
            raise CodeChangedError(
                "steps_changed",
                f"nothing remembers step {name!r}, and {', '.join(map(repr, awaited[:3]))} of another version of the "
                "code were not asked for yet: one may be the other's new name",
            )

    def _is_of_other_code(self, step: Remembered) -> bool:
        return bool(step.code and self.code) and step.code != self.code

    def _warn(self, what: str, count: int, most: int) -> None:
        if count == int(most * limits.WARN_AT):
            self.telemetry.alert("limit_near", job_id=self.job.ref.id, limit=what, count=count, most=most)


def _encoded(name: str, value: object) -> str | None:
    try:
        return encode_result(value)
    except InputError as error:
        problem = "; ".join(violation.problem for violation in error.violations)
        raise StepError.at(_STEP, f"what {name!r} returned can't be remembered: {problem}", "result") from None
