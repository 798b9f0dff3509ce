"""A lane: one SQS queue with its DLQ and its own worker function, so that lanes can't starve each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tidemill.domain.declared import check_instance, check_span, check_whole
from tidemill.domain.duration import minutes, seconds
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.names import check_lane


class _BySort(int):
    """A default that differs between standard and FIFO lanes."""


_BY_SORT: Final = _BySort()


@dataclass(frozen=True, slots=True)
class Lane:
    """How one lane is built and how its worker runs.

    Arguments:
        name: lower-case words joined by `-`, at most 32 characters.
        fifo: jobs of one entity run one after the other, in the order they were sent; every submit names its
            `entity` and none may be delayed. Its batches are of one message, because a failed one must hold back
            those behind it, so that batch_size, batch_window and concurrency have no other value here.
        batch_size: messages per invocation, 1 to 10,000, by default 10. Above 10 AWS asks for a window of at least 1 s.
        batch_window: how long Lambda gathers a batch, 0 s to 5 min. Latency against cost.
        concurrency: jobs that one invocation runs at the same time, 1 to 1,000. The default equals the
            default batch, so that no job waits for its neighbour; 1 is for code that is not thread-safe.
        max_concurrency: invocations at the same time (the bulkhead), 2 to 1,000. Applied to the event
            source, not as reserved concurrency, so that throttles never burn a message's receives.
        memory_mb: memory of the worker function, 128 to 10,240. CPU grows with it.

    Raises:
        DefinitionError: a value is of another type or out of its range; the message has the range.
    """

    name: str
    batch_size: int = _BY_SORT
    batch_window: timedelta = seconds(0)
    concurrency: int = _BY_SORT
    max_concurrency: int = 10
    memory_mb: int = 512
    fifo: bool = False

    def __post_init__(self) -> None:
        try:
            check_lane(self.name)
        except InputError as error:
            raise DefinitionError(f"Lane({self.name!r}): {error}") from error
        check_instance(f"Lane({self.name!r}).fifo", self.fifo, bool)
        for name in ("batch_size", "concurrency"):
            if getattr(self, name) is _BY_SORT:
                object.__setattr__(self, name, 1 if self.fifo else 10)
        # Ranges: API Reference, CreateEventSourceMapping (BatchSize, MaximumBatchingWindowInSeconds,
        # ScalingConfig) and CreateFunction (MemorySize).
        self._within("batch_size", self.batch_size, 1, 10_000)
        self._within("concurrency", self.concurrency, 1, 1_000)
        self._within("max_concurrency", self.max_concurrency, 2, 1_000)
        self._within("memory_mb", self.memory_mb, 128, 10_240)
        check_span(f"Lane({self.name!r}).batch_window", self.batch_window)
        if not seconds(0) <= self.batch_window <= minutes(5):
            raise DefinitionError(f"Lane({self.name!r}).batch_window is {self.batch_window}. Fix: choose 0 s to 5 min")
        if self.batch_size > 10 and self.batch_window < seconds(1):
            raise DefinitionError(
                f"Lane({self.name!r}) has batch_size {self.batch_size} without a window. "
                "Fix: give batch_window=seconds(1) or more, or a batch_size of at most 10"
            )
        if self.fifo and (self.batch_size, self.concurrency, self.batch_window) != (1, 1, seconds(0)):
            raise DefinitionError(
                f"Lane({self.name!r}) is FIFO: it runs one message at a time, without a window. "
                "Fix: leave batch_size, concurrency and batch_window out"
            )

    def _within(self, name: str, value: int, low: int, high: int) -> None:
        check_whole(f"Lane({self.name!r}).{name}", value, low, high)


DEFAULT_LANE: Final = "default"
# Of programs with webhooks: nothing else runs in it.
WEBHOOK_LANE: Final = "webhooks"
# API Reference, CreateQueue: the name of a FIFO queue ends so, and with it its URL.
FIFO_SUFFIX: Final = ".fifo"
DEFAULT_LANES: Final = (Lane("critical"), Lane(DEFAULT_LANE), Lane("bulk"))
