"""Jobs that kill their own process, as a fault in C or an exhausted memory does."""

import os
import signal
import time

from tidemill import JobContext, job, seconds
from trials.diary import Trial

# A heartbeat of 10 s and 30 s for clocks are a lease.
BEYOND_ONE_LEASE_S = 45.0


class Crash(Trial, kind="trial.crash"):
    """How many neighbours are to be waited for."""

    neighbours: int


class Poison(Trial, kind="trial.poison"):
    """How many neighbours are to be waited for."""

    neighbours: int


@job(Crash, lane="crashing", timeout=seconds(5))
def crash(args: Crash, context: JobContext) -> int:
    """Kill the process of the first attempt, after an effect."""
    context.step("charge", args.note, "charged")
    args.note("started", attempt=context.attempt)
    if context.attempt == 1:
        end_of_process(args, args.neighbours)
    return context.attempt


# The heartbeat shortens what a dead worker keeps: three of them are over in two minutes.
@job(Poison, lane="poison", timeout=seconds(5), heartbeat=seconds(10))
def poison(args: Poison, context: JobContext) -> int:
    """Kill the process of every attempt until an operator lets it run again."""
    context.step("charge", args.note, "charged")
    args.note("started", attempt=context.attempt, generation=context.generation)
    if context.generation == 1:
        end_of_process(args, args.neighbours if context.attempt == 1 else 0)
    return context.generation


class KeepGoing(Trial, kind="trial.keep-going"):
    """Nothing more."""


@job(KeepGoing, lane="beating", timeout=seconds(60), heartbeat=seconds(10))
def keep_going(args: KeepGoing, context: JobContext) -> int:
    """Work for longer than a lease without a sign of life lasts, then kill the process of the first attempt."""
    args.note("started", attempt=context.attempt)
    if context.attempt == 1:
        time.sleep(BEYOND_ONE_LEASE_S)
        end_of_process(args, 0)
    return context.attempt


def end_of_process(args: Trial, neighbours: int) -> None:
    """Wait until the neighbours have run, whom nobody has recorded yet, and end them all."""
    while args.others("ran") < neighbours:
        time.sleep(0.02)
    args.note("killed")
    os.kill(os.getpid(), signal.SIGKILL)
