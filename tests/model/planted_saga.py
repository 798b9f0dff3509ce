"""Bugs that are planted in what sagas are carried by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.model.planting import Planted
from tidemill.domain import closing
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.service import closer, errands, executor


def _reports_only_what_it_ended(real: Any) -> Any:
    """Whoever meets a job that is over only settles its message: the worker that ended it may have died before."""

    def fulfil(self: Any, batch: Any, met: Any) -> None:
        if batch.attempts:
            real(self, batch, met)
        else:
            batch.settlements.update({message_id: one.settlement for message_id, one in met.items()})

    return fulfil


def _undoes_at_once(real: Any) -> Any:
    """The compensation does not wait for the worker that has the step."""

    def decide(job: Job, now_ms: int, keep_until: int) -> Any:
        end = real(job, now_ms, keep_until)
        return closing.Closed() if isinstance(end, closing.Wait) else end

    return decide


def _leaves_what_waits(real: Any) -> Any:
    """The compensation does not make a job final that has not begun."""

    def decide(job: Job, now_ms: int, keep_until: int) -> Any:
        return real(job, now_ms, keep_until) if job.state in (State.RUNNING, State.DEAD) else closing.Closed()

    return decide


def _leaves_the_dead(real: Any) -> Any:
    """A dead job of a saga that went on can be redriven."""

    def decide(job: Job, now_ms: int, keep_until: int) -> Any:
        return closing.Closed() if job.state is State.DEAD else real(job, now_ms, keep_until)

    return decide


def _keeps_its_fence(real: Any) -> Any:
    """A redrive that has read the dead job before it was closed goes through."""
    return lambda job: replace(job, reason=closing.SAGA_OVER)


def _tells_nobody(_: Any) -> Any:
    return lambda self, jobs: [True] * len(jobs)


IN_SAGAS = (
    Planted(
        "only who ended the step reports it", "saga", "death", executor.Executor, "_fulfil", _reports_only_what_it_ended
    ),
    Planted("a step is undone while it runs", "saga", "three at once", closer, "closing", _undoes_at_once),
    Planted("a step is undone before it comes", "saga", "three at once", closer, "closing", _leaves_what_waits),
    Planted("a dead step is redriven after its saga", "saga", "redrive", closer, "closing", _leaves_the_dead),
    Planted("a close takes no fence", "saga", "redrive", closing, "closed", _keeps_its_fence),
    Planted("nobody reports", "saga", "death", errands.Errands, "tell", _tells_nobody),
)
