"""Who runs the jobs of a batch: threads, watched over by the one that hands out the work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.ports import Clock
from tidemill.service.batch import Batch

# How soon a job that starts while others run is seen. No timeout is shorter.
LOOK_AGAIN = seconds(1)


class Crew(Protocol):
    """Runs jobs beside each other."""

    def run(self, batch: Batch, message_ids: Sequence[str]) -> None:
        """Perform the jobs of these messages, and return when each ended, was left behind or was given back."""


class ThreadCrew:
    """Threads that live as long as the container.

    Arguments:
        size: jobs that run at the same time.
    """

    def __init__(self, size: int, clock: Clock) -> None:
        self._size = size
        self._clock = clock
        self._threads = ThreadPoolExecutor(size, "tidemill-job")

    def run(self, batch: Batch, message_ids: Sequence[str]) -> None:
        """See Crew. It ends shortly before the function does, whatever the jobs do."""
        stop_at = batch.performer.jobs_end_at
        pending = self._start(batch, message_ids)
        while pending:
            now_ms = self._clock.now_ms()
            if now_ms >= stop_at:
                self._give_up(batch, pending)
                return
            overrun = batch.overrunning(now_ms)
            if overrun:
                pending = self._replace(batch, pending, overrun)
            look_again_at = min(batch.tend(now_ms), stop_at, now_ms + milliseconds(LOOK_AGAIN))
            done, _ = wait(pending, timeout=max((look_again_at - now_ms) / 1000, 0))
            for future in done:
                del pending[future]
                future.result()

    def _start(self, batch: Batch, message_ids: Iterable[str]) -> dict[Future[None], str]:
        return {self._threads.submit(batch.perform, message_id): message_id for message_id in message_ids}

    def _give_up(self, batch: Batch, pending: dict[Future[None], str]) -> None:
        """End the batch: what has not started is given back, the rest is left behind."""
        for future, message_id in pending.items():
            if future.cancel():
                batch.give_back(message_id)
            else:
                batch.leave_behind(message_id)
        self._renew()

    def _replace(
        self, batch: Batch, pending: dict[Future[None], str], overrun: Collection[str]
    ) -> dict[Future[None], str]:
        """Leave stuck jobs behind, and let what waits for their threads run in new ones. Answers what to wait for."""
        for message_id in overrun:
            batch.leave_behind(message_id)
        waiting = [future for future in pending if future.cancel()]
        going_on = {
            future: message_id
            for future, message_id in pending.items()
            if message_id not in overrun and not future.cancelled()
        }
        self._renew()
        return going_on | self._start(batch, [pending[future] for future in waiting])

    def _renew(self) -> None:
        # A thread that is stuck is of no use to the jobs that come after.
        self._threads.shutdown(wait=False)
        self._threads = ThreadPoolExecutor(self._size, "tidemill-job")
