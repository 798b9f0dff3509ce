"""A job of several steps that dies after them while its gate is shut."""

from typing import Literal

from pydantic import Field

from tidemill import JobContext, PermanentError, job, seconds
from trials.diary import Gated

# An error's text may not be an argument's: that would be hidden.
FAULTS = {"wet": "nobody builds in water", "icy": "nobody digs in frost"}


class Build(Gated, kind="trial.build"):
    """How wide; `ground` is what is wrong while the gate is shut."""

    width: int = Field(default=1, ge=1)
    ground: Literal["wet", "icy"] = "wet"


@job(Build, timeout=seconds(10))
def build(args: Build, context: JobContext) -> int:
    """Dig, lay and raise, each once, and then need the gate."""
    for step in ("dig", "lay", "raise"):
        context.step(step, args.note, step)
    if not args.is_open:
        raise PermanentError(FAULTS[args.ground])
    return args.width
