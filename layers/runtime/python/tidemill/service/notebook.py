"""One attempt's view of what its job remembers: steps, step keys, the cursor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.definition import OnCodeChange
from tidemill.domain.errors import CodeChangedError, InputError, IntegrityError, PayloadGoneError, StepError
from tidemill.domain.job import Job
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, check_step_name, encode_cursor
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Clock, JobMemory, Payloads, Telemetry
from tidemill.domain.returning import encode_step, read_back
from tidemill.service.keeping import stored
from tidemill.service.nearness import warn_near

_STEP: Final = "step"


@dataclass
class Notebook:
    """Opens the job's memory when it is first asked for, so that a job without steps pays nothing. Safe for threads.

    Arguments:
        job: as claimed.
        on_code_change: of the kind. `code`: the version of this code, "" if the deployment names none.
        keep_ms: how long the memory outlives the attempt, milliseconds.

    Attributes:
        refusal: why this code may not go on with what is remembered. From then on everything is refused with it.
        is_undoing: the job has heard that it is to stop: what it records from now on cleans up.
    """

    memory: JobMemory
    payloads: Payloads
    clock: Clock
    telemetry: Telemetry
    job: Job
    on_code_change: OnCodeChange
    code: str
    keep_ms: int
    refusal: CodeChangedError | None = None
    is_undoing: bool = False
    _opened: Memory | None = None
    # All that was asked for in this attempt, and what of it may not be asked for again: it is done, or being done.
    _asked: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)
    _lock: RLock = field(default_factory=RLock)

    def check(self) -> None:
        """End the job with the refusal, whatever its code made of it.

        Raises:
            CodeChangedError: this code may not go on with what is remembered.
        """
        if self.refusal is not None:
            raise self.refusal

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
            self._asked.add(name)
            self._used.add(name)
            return found

    def remembers(self, name: str) -> bool:
        """Whether `recall` would find it; it does not count as asked for.

        Raises:
            StepError, CodeChangedError, FenceLostError, UnavailableError: as `recall`.
        """
        with self._lock:
            return check_step_name(name) in self._open().steps

    @property
    def is_behind(self) -> bool:
        """Whether earlier attempts did steps that this one has not asked for yet: its code can't know what is done.

        Raises:
            UnavailableError: the memory could not be read.
        """
        with self._lock:
            memory = self._opened or self.memory.look(self.job.ref) or Memory()
            return any(not step.undoes and step.name not in self._asked for step in memory.steps.values())

    def release(self, name: str) -> None:
        """The step failed: it may be tried again in this attempt."""
        with self._lock:
            self._used.discard(name)

    def record(self, name: str, value: object, returns: Any = Any) -> Any:
        """Remember what the step returned; answers it as later attempts will see it.

        A value that does not read back as `returns` is answered as it is: its effect has happened.

        Raises:
            StepError: the value is not JSON, or too large.
            FenceLostError, UnavailableError: see JobMemory.remember.
        """
        text = _encoded(name, value, returns)
        with self._lock:
            memory = self._open()
            step = Remembered(name, memory.next_number, text, self.clock.now_ms(), self.job.generation, self.code)
            step = replace(step, undoes=self.is_undoing)
            data = (text or "").encode("utf-8")
            self._warn("step_result", 0, len(data), limits.MAX_PAYLOAD_BYTES)
            if len(data) > limits.MAX_INLINE_STEP_BYTES:
                # The fence in the name keeps two attempts' bytes apart.
                where = f"step/{self.job.fence}/{step.number}"
                step = replace(step, result=None, stored=stored(self.payloads, self.job, where, data))
            asked = self._asked_beside(memory, name)
            self.memory.remember(self.job, step, asked)
            self._opened = memory.remembering(step, asked)
        try:
            return read_back(text, returns, name)
        except StepError:
            self.telemetry.alert("step_unreadable", job_id=self.job.ref.id, step=step.number)
            return value

    def read(self, step: Remembered, returns: Any = Any) -> Any:
        """What a remembered step returned.

        Raises:
            StepError: it does not fit the type `returns`.
            PayloadGoneError, IntegrityError, UnavailableError: see Payloads.get.
        """
        text = step.result if step.stored is None else self._fetched(step.name, step.stored)
        return read_back(text, returns, step.name)

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
            self._warn("hand_overs", memory.hand_overs, hand_overs, limits.MAX_HAND_OVERS)
            self._warn("cursor", len((memory.cursor or "").encode()), len(text.encode()), limits.MAX_CURSOR_BYTES)
            self.memory.checkpoint(self.job, text, hand_overs)
            self._opened = replace(memory, cursor=text, hand_overs=hand_overs)

    @property
    def forgot(self) -> int:
        """The first generation that does not know any more what earlier ones did and were told.

        Raises:
            CodeChangedError, FenceLostError, UnavailableError: as `recall`.
        """
        with self._lock:
            return self._open().forgot

    def unused(self) -> tuple[str, ...]:
        """Steps that another version of the code recorded and that this attempt never asked for."""
        steps = self._opened.steps if self._opened else {}
        return tuple(name for name, step in steps.items() if name not in self._asked and step.code != self.code)

    def _open(self) -> Memory:
        self.check()
        if self._opened is None:
            until_ms = self.clock.now_ms() + self.keep_ms
            self._opened = self._revised(self.memory.open(self.job, until_ms // 1000 + 1, self.code))
        return self._opened

    def _revised(self, memory: Memory) -> Memory:
        """What still counts of it, for this generation and this version of the code."""
        revised = memory.obeying(self.job.generation)
        if self._is_of_other_code(revised):
            if self.on_code_change is OnCodeChange.STOP:
                self._refuse("code_changed", "the job began under another version of the code")
            if self.on_code_change is OnCodeChange.RESTART:
                revised = revised.forgetting(EVERYTHING)
        if revised is not memory:
            revised = replace(revised, code=revised.code or self.code)
            self.memory.forget(self.job, revised)
        return revised

    def _check_new(self, memory: Memory, name: str) -> None:
        others = (memory.steps.keys() | memory.asked.keys() | self._asked) - {name}
        if len(others) >= limits.MAX_STEPS:
            raise StepError.at(
                _STEP,
                f"the job has {limits.MAX_STEPS} steps, which is the most. "
                "Fix: checkpoint a cursor instead, or split the work into several jobs",
                "too_many",
            )
        if name not in self._asked:
            self._warn("steps", len(others), len(others) + 1, limits.MAX_STEPS)
        if self.on_code_change is not OnCodeChange.CHECK or name in memory.asked:
            return
        ours = {**{step.name: step.code for step in memory.steps.values()}, **memory.asked}
        awaited = [known for known, code in ours.items() if self._differs(code) and known not in self._asked]
        if awaited:
            self._refuse(
                "steps_changed",
                f"the job never asked for step {name!r}, and {', '.join(map(repr, awaited[:3]))} of another "
                "version of the code were not asked for yet: one may be the other's new name",
            )

    def _asked_beside(self, memory: Memory, recorded: str) -> Mapping[str, str]:
        """See Memory.asked. Only a kind that checks has a use for it."""
        if not self.code or self.on_code_change is not OnCodeChange.CHECK:
            return memory.asked
        asked = {**memory.asked, **dict.fromkeys(sorted(self._asked), self.code)}
        return {name: code for name, code in asked.items() if name != recorded and name not in memory.steps}

    def _is_of_other_code(self, memory: Memory) -> bool:
        return self._differs(memory.code) or any(self._differs(step.code) for step in memory.steps.values())

    def _differs(self, code: str) -> bool:
        return bool(code and self.code) and code != self.code

    def _refuse(self, reason: str, problem: str) -> None:
        self.refusal = CodeChangedError(reason, problem)
        raise self.refusal

    def _fetched(self, name: str, where: Stored) -> str:
        # Submitted again, as for other stored bytes, the job would do all of its steps again.
        try:
            return self.payloads.get(self.job.ref, where).decode("utf-8")
        except PayloadGoneError as gone:
            raise PayloadGoneError(gone.job_id, gone.name, denied=gone.denied, step=name) from None
        except IntegrityError:
            raise IntegrityError(
                f"the stored bytes {where.name} are not what step {name!r} returned. Fix: redrive the job from that "
                "step, which is done again; find out who else writes to the payload bucket"
            ) from None

    def _warn(self, limit: str, before: int, now: int, most: int) -> None:
        warn_near(self.telemetry, self.job.ref.id, limit, before, now, most)


def _encoded(name: str, value: object, returns: Any) -> str | None:
    try:
        return encode_step(value, returns, name)
    except InputError as error:
        problem = "; ".join(violation.problem for violation in error.violations)
        raise StepError.at(_STEP, f"what {name!r} returned can't be remembered: {problem}", "result") from None
