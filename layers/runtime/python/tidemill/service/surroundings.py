"""What the jobs of a lane are run with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tidemill.domain.ports import Clock, EntityOrder, JobMemory, JobStore, JobWaits, Payloads, Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.service.closer import StepCloser
from tidemill.service.errands import Errands
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.obligations import Obligation, Obligations
from tidemill.service.running import ThreadInterrupter
from tidemill.service.succession import Succession


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lane's jobs are run with.

    Arguments:
        hide: sets the visibility of a message, given its receipt and seconds.
        code: the version of this code, "" if the deployment names none.
        interrupter: makes a way into the code of the thread that calls it.
        errands: what jobs owe to sagas, where the program has some.
        api_url: where the HTTP API answers; "" where the program has none.
        owed: what jobs that are over owe, beside their place in an order.
    """

    registry: JobRegistry
    store: JobStore
    memory: JobMemory
    payloads: Payloads
    clock: Clock
    telemetry: Telemetry
    hide: Callable[[str, int], None]
    loop: EventLoopThread
    code: str = ""
    interrupter: Callable[[], ThreadInterrupter] = ThreadInterrupter
    order: EntityOrder = field(kw_only=True)
    errands: Errands | None = field(default=None, kw_only=True)
    waits: JobWaits = field(kw_only=True)
    api_url: str = field(default="", kw_only=True)
    owed: tuple[Obligation, ...] = field(default=(), kw_only=True)

    @property
    def succession(self) -> Succession:
        """Who comes after whom, where that is kept."""
        return Succession(self.order, self.clock, self.telemetry)

    @property
    def obligations(self) -> Obligations:
        """What jobs that are over owe to others."""
        return Obligations((self.succession, *self.owed, *([self.errands] if self.errands else ())))

    @property
    def closer(self) -> StepCloser:
        """What a compensation has to pass before it undoes anything."""
        return StepCloser(self.store, self.errands, self.clock)
