"""One attempt's hold on its job: steps, signs of life, progress, and the request to stop."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock, RLock
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import FenceLostError, InputError, UnavailableError
from tidemill.domain.interrupt import HandedOver, JobCancelled
from tidemill.domain.job import Job
from tidemill.domain.memory import Remembered, check_step_name
from tidemill.domain.ports import Clock, JobStore, Refused, Written
from tidemill.domain.waiting import Question
from tidemill.service.awaiting import Inquirer
from tidemill.service.notebook import Notebook

_MOST_DONE: Final = 1 << 53


@dataclass
class AttemptLifeline:
    """See `tidemill.domain.context.Lifeline`. Safe for threads; of no use any more once it was cut.

    Arguments:
        job: as claimed; the newest known record later. `inquirer`: asks for it.
        hide: sets the visibility of the attempt's message, in seconds.
        ends_at: when the attempt ends whatever it does; `hands_over_at`: from when a checkpoint hands over.
        lease_ms: how long a sign of life keeps the job; None if the lease lasts as long as the function anyway.

    Attributes:
        has_heard: the job was told that it is to stop; what it does since then is its clean-up.
    """

    store: JobStore
    notebook: Notebook
    clock: Clock
    hide: Callable[[int], None]
    job: Job
    ends_at: int
    hands_over_at: int
    lease_ms: int | None = None
    has_heard: bool = False
    inquirer: Inquirer = field(kw_only=True)
    _is_cut: bool = False
    _pulsed_at: int = 0
    _unsaid: str | None = None
    # The records of effects that are being written, and what guards them from interrupts.
    _recording: set[object] = field(default_factory=set)
    _gate: Lock = field(default_factory=Lock)
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        # The claim was a sign of life; the job may have waited behind others since.
        self._pulsed_at = self.job.started_at or 0

    # --- what the job does ------------------------------------------------------------------------

    @property
    def cancel_asked(self) -> bool:
        """See JobContext."""
        return self.job.cancel_asked

    @property
    def time_left(self) -> timedelta:
        """See JobContext."""
        return timedelta(milliseconds=max(self.ends_at - self.clock.now_ms(), 0))

    @property
    def cursor(self) -> Any:
        """See JobContext."""
        self._check_held()
        return self.notebook.cursor

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        """See JobContext."""
        found = self._recalled(name)
        if found is not None:
            return self.notebook.read(found, returns)
        try:
            value = function()
        except BaseException:
            self.notebook.release(name)
            raise
        return self._recorded(name, value, returns)

    async def step_async(self, name: str, function: Callable[[], Awaitable[Any]], returns: Any) -> Any:
        """See JobContext."""
        found = self._recalled(name)
        if found is not None:
            return self.notebook.read(found, returns)
        try:
            value = await function()
        except BaseException:
            self.notebook.release(name)
            raise
        return self._recorded(name, value, returns)

    def step_key(self, name: str) -> str:
        """See JobContext."""
        self._check_held()
        check_step_name(name)
        return self.notebook.key(name)

    def checkpoint(self, cursor: object) -> None:
        """See JobContext."""
        self._pulse()
        self._hear()
        hand_over = self.clock.now_ms() >= self.hands_over_at
        self.notebook.checkpoint(cursor, hand_over=hand_over)
        if hand_over:
            raise HandedOver

    def heartbeat(self) -> None:
        """See JobContext."""
        self._pulse()
        if self._is_to_stop and self._knows_what_is_done():
            self._hear()

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        """See JobContext."""
        said = _progress(done, total, note)
        with self._lock:
            self._unsaid = said
        self.heartbeat()

    def wait_for(self, question: Question) -> Any:
        """See JobContext."""
        self.inquirer.check(question)
        return self.inquirer.answer(question, self._recalled(question.name), self)

    def answer_token(self, name: str, to: str, lasts: timedelta) -> str:
        """See JobContext."""
        self._check_held()
        return self.inquirer.token(name, to, lasts)

    def answer_link(self, name: str, to: str, lasts: timedelta) -> str:
        """See JobContext."""
        self._check_held()
        return self.inquirer.link(name, to, lasts)

    # --- what the worker does ---------------------------------------------------------------------

    def beat(self) -> int | None:
        """Renew the lease if a third of it is gone, and show what was said of the progress.

        Answers when to come again (Unix ms), None if there is nothing to come for.
        """
        with self._lock:
            due = self._beat_due()
            if due is None or self._is_cut:
                return None
            now_ms = self.clock.now_ms()
            if now_ms < due:
                return due
            self._say(now_ms)
            return None if self.lease_ms is None else now_ms + self.lease_ms // 3

    def interrupt(self, do: Callable[[], None]) -> bool:
        """Let `do` interrupt the job, unless it is just recording an effect; answers whether it did."""
        with self._gate:
            if self._recording:
                return False
            do()
            return True

    def cut(self) -> Job:
        """End the attempt's hold: from now on it begins nothing more. Answers the newest known record.

        An effect that is under way is still recorded, unless the next attempt has opened the memory by then.
        """
        with self._lock:
            self._is_cut = True
            return self.job

    def remember(self, name: str, outcome: dict[str, Any]) -> Any:
        """See Steps."""
        return self._recorded(name, outcome, Any)

    # --- inside -----------------------------------------------------------------------------------

    def _recalled(self, name: str) -> Remembered | None:
        """What is remembered of the step; None if it is to be done now."""
        self._pulse()
        if self._is_to_stop and not self.notebook.remembers(name):
            self._hear()
        return self.notebook.recall(name)

    def _recorded(self, name: str, value: object, returns: Any) -> Any:
        """Record what happened. Whoever holds the job by now, that it happened is worth knowing: the fence decides."""
        mine = object()
        try:
            with self._gate:
                self._recording.add(mine)
            return self.notebook.record(name, value, returns)
        finally:
            with self._gate:
                self._recording.discard(mine)

    def _check_held(self) -> None:
        if self._is_cut:
            raise FenceLostError(self.job.ref.id, self.job.fence)

    @property
    def _is_to_stop(self) -> bool:
        return self.job.cancel_asked and not self.has_heard

    def _knows_what_is_done(self) -> bool:
        """Whether the job has asked for all that earlier attempts did, and so knows what there is to clean up."""
        try:
            return not self.notebook.is_behind
        except UnavailableError:
            return False

    def _hear(self) -> None:
        """Raise the request to stop, once: the clean-up may do steps and give signs of life."""
        with self._lock:
            if not self._is_to_stop:
                return
            self.has_heard = self.notebook.is_undoing = True
        raise JobCancelled

    def _pulse(self) -> None:
        """Say that the job lives, if it has not for a while, and hear whether it still holds its job."""
        with self._lock:
            self._check_held()
            now_ms = self.clock.now_ms()
            if now_ms - self._pulsed_at >= milliseconds(limits.PULSE):
                self._say(now_ms)
                self._check_held()

    def _beat_due(self) -> int | None:
        spans = [] if self.lease_ms is None else [self.lease_ms // 3]
        if self._unsaid is not None:
            spans.append(milliseconds(limits.PULSE))
        return self._pulsed_at + min(spans) if spans else None

    def _say(self, now_ms: int) -> None:
        lease_until = self.job.claimable_at or 0
        if self.lease_ms is not None:
            lease_until = max(lease_until, now_ms + self.lease_ms + milliseconds(limits.CLOCK_SKEW))
        match self.store.extend(self.job, lease_until, self._unsaid):
            case Written(job=job):
                self.job, self._pulsed_at, self._unsaid = job, now_ms, None
            case Refused():
                self._is_cut = True
                return
            case _:
                # Not heard. The lease lasts for some more beats.
                return
        if self.lease_ms is not None:
            left = lease_until + milliseconds(limits.SHORT_HOLD) - now_ms
            self.hide(min(-(-left // 1000), int(limits.MAX_VISIBILITY.total_seconds())))


def _progress(done: object, total: object, note: object) -> str:
    for name, value in (("done", done), ("total", total)):
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_DONE
        if not whole and not (name == "total" and value is None):
            raise InputError.at(f"progress.{name}", f"must be a whole number from 0 to 2^53, not {value!r}", "range")
    longest = limits.MAX_PROGRESS_NOTE_CHARS
    if note is not None and not (isinstance(note, str) and len(note) <= longest and _is_plain(note)):
        problem = f"must be at most {longest} printable ASCII characters, no quote and no backslash"
        raise InputError.at("progress.note", problem, "format")
    # Short names: it shares the record's one write unit.
    said = {"n": done, "of": total, "note": note}
    return json.dumps({name: value for name, value in said.items() if value is not None}, separators=(",", ":"))


def _is_plain(note: str) -> bool:
    # In JSON a quote or a backslash takes two bytes, and the record has none to spare.
    return note.isascii() and note.isprintable() and not {'"', "\\"} & set(note)
