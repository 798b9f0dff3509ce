"""Jobs whose time runs out."""

import asyncio
import time

from tidemill import JobContext, Retry, SoftTimeoutError, job, seconds
from trials.diary import Trial

NAP_S = 0.05
# Longer than any timeout here.
ALL_NIGHT_S = 60.0
SOON = Retry(max_attempts=2, delays=(seconds(1),))


class Overrun(Trial, kind="trial.overrun"):
    """Nothing more."""


class Careful(Trial, kind="trial.careful"):
    """Nothing more."""


class CarefulAsync(Trial, kind="trial.careful-async"):
    """Nothing more."""


@job(Overrun, lane="stuck", timeout=seconds(3), retry=SOON)
def overrun(args: Overrun, context: JobContext) -> None:
    """Ignore whatever is raised in it."""
    args.note("started", ends_ms=context.deadline_ms)
    while True:
        try:
            args.note("goes on", attempt=context.attempt)
            time.sleep(NAP_S)
        except BaseException:  # noqa: S110, BLE001 - a job that can't be ended by asking it
            pass


@job(Careful, timeout=seconds(8), soft_timeout=seconds(1), retry=SOON)
def take_care(args: Careful, context: JobContext) -> int:
    """Overrun the soft timeout once, and tidy up."""
    args.note("started")
    try:
        until = time.monotonic() + (ALL_NIGHT_S if context.attempt == 1 else 0)
        while time.monotonic() < until:
            time.sleep(NAP_S)
    except SoftTimeoutError:
        args.note("tidied up")
        raise
    return context.attempt


@job(CarefulAsync, timeout=seconds(8), soft_timeout=seconds(1), retry=SOON)
async def take_care_async(args: CarefulAsync, context: JobContext) -> int:
    """The same, waiting as `async def` does."""
    args.note("started")
    try:
        await asyncio.sleep(ALL_NIGHT_S if context.attempt == 1 else 0)
    except SoftTimeoutError:
        args.note("tidied up")
        raise
    return context.attempt
