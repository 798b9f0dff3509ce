"""Waiting a little before another try, and doing many calls at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

# A call is CPU for a good part, so that more threads would not be faster: a batch of 25 writes took 0.5 ms of CPU on
# one x86-64 core without its socket, which is 1.6 ms of a worker with 512 MB (0.29 of a CPU).
THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a throttled entry is tried again: full jitter over a doubling wait.

    Arguments:
        tries: in all, the first included. Four wait 0.35 s at the most, far below any job's lease.
    """

    tries: int = 4
    first_wait_s: float = 0.05
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=Random)

    def wait(self, tried: int) -> None:
        """Sleep before try number `tried + 1`."""
        self.sleep(self.first_wait_s * 2 ** (tried - 1) * self.random.random())


def each(call: Callable[[_In], _Out], arguments: Sequence[_In], *, in_turn: int = THREADS) -> list[_Out]:
    """`call` for each argument, in order; in a few threads where they are more than `in_turn`."""
    if len(arguments) <= in_turn:
        return [call(argument) for argument in arguments]
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(call, arguments))


def in_chunks(entries: Sequence[_In], size: int) -> list[Sequence[_In]]:
    """`entries` in runs of at most `size`."""
    return [entries[start : start + size] for start in range(0, len(entries), size)]
