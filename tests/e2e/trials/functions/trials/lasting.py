"""Jobs that last: longer than one invocation, until they are asked to stop, and against all wishes."""

import time
from itertools import count

from tidemill import JobCancelled, JobContext, job, seconds
from tidemill.errors import FenceLostError
from trials.diary import Gated, Trial

ROW_S = 0.25


class CountRows(Trial, kind="trial.count-rows"):
    """How many."""

    rows: int


@job(CountRows, lane="lasting", timeout=seconds(8))
def count_rows(args: CountRows, context: JobContext) -> int:
    """Count on from the cursor, and say how far it is."""
    start: int = context.cursor or 0
    args.note("started", cursor=start, attempt=context.attempt)
    for row in range(start, args.rows):
        args.note("row", row=row)
        time.sleep(ROW_S)
        context.progress(row + 1, args.rows, "rows")
        context.checkpoint(row + 1)
    return args.rows


class Wander(Trial, kind="trial.wander"):
    """Nothing more."""


# Longer than a slow machine takes to ask for its end: handed over, it would be waiting at that moment.
@job(Wander, lane="lasting", timeout=seconds(60))
def wander(args: Wander, context: JobContext) -> None:
    """Go on until somebody asks for an end, and tidy up."""
    try:
        for step in count():
            args.note("goes on")
            time.sleep(ROW_S)
            context.progress(step)
    except JobCancelled:
        args.note("tidied up")
        raise


class Unmoved(Gated, kind="trial.unmoved"):
    """Nothing more."""


@job(Unmoved, lane="lasting", timeout=seconds(60))
def stay_unmoved(args: Unmoved, context: JobContext) -> str:
    """Look at nothing but the gate; then want a step and an answer to be remembered."""
    args.note("started")
    while not args.is_open:
        time.sleep(0.02)
    try:
        context.step("effect", args.note, "effect")
    except FenceLostError:
        args.note("lost its fence")
    args.note("returns")
    return "done all the same"
