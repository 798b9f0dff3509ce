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


class Deaf(Trial, kind="trial.deaf"):
    """Nothing more."""


class Doze(Trial, kind="trial.doze"):
    """Nothing more."""


class Stroll(Trial, kind="trial.stroll"):
    """How long it takes, in seconds."""

    lasts: float


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


@job(Deaf, lane="stuck", timeout=seconds(3), soft_timeout=seconds(1), retry=Retry(max_attempts=1))
def stay_deaf(args: Deaf, _: JobContext) -> None:
    """Go on whatever `except Exception` catches."""
    args.note("started")
    while True:
        try:
            time.sleep(NAP_S)
        except Exception as error:  # noqa: BLE001 - that is what is wrong with it
            args.note("heard", error=type(error).__name__)


@job(Doze, lane="stuck", timeout=seconds(3), soft_timeout=seconds(1), retry=Retry(max_attempts=1))
def doze(args: Doze, _: JobContext) -> None:
    """Be in one call of C, which no exception reaches."""
    args.note("started")
    time.sleep(ALL_NIGHT_S)


@job(Stroll, lane="stuck", timeout=seconds(8))
def stroll(args: Stroll, context: JobContext) -> int:
    """Take longer than its neighbours may."""
    args.note("started")
    time.sleep(args.lasts)
    args.note("ran")
    return context.attempt


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
