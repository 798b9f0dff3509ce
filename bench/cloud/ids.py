"""Where ids come from: chance, or a counter that makes two runs alike."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from itertools import count


def random_ids() -> str:
    """A fresh id each time."""
    return str(uuid.uuid4())


def numbered_ids() -> Callable[[], str]:
    """Ids of the usual form that are the same in every run."""
    numbers = count(1)
    return lambda: f"{next(numbers):08x}-0000-4000-8000-000000000000"


def wall_clock_ms() -> int:
    """Unix milliseconds of this machine."""
    return time.time_ns() // 1_000_000
