"""A job that waits for somebody who answers by a link."""

from typing import Literal

from pydantic import Field

from tidemill import JobArgs, JobContext, job, seconds
from tidemill.errors import WaitTimeoutError
from trials.diary import Trial


class Ask(Trial, kind="trial.ask"):
    """How long it waits, and when it reminds."""

    timeout_s: int = 600
    remind_s: int = 300


class Verdict(JobArgs):
    """What is answered."""

    granted: bool
    carrier: Literal["ship", "lorry"] = "ship"
    note: str = Field(default="", max_length=200)


@job(Ask, timeout=seconds(10), answers={"verdict": Verdict})
def ask(args: Ask, context: JobContext) -> str:
    """Send a link, wait, and say what came of it."""
    context.step("link", lambda: args.note("link", url=context.answer_link("verdict", to="cfo@example.org")))
    try:
        verdict = context.wait_for(
            "verdict",
            Verdict,
            timeout=seconds(args.timeout_s),
            remind=[seconds(args.remind_s)],
            reminder=lambda number: args.note("reminder", number=number),
            asks=f"May {args.name} go out?",
        )
    except WaitTimeoutError:
        return "nobody answered"
    return f"{verdict.granted} by {verdict.carrier}: {verdict.note}"
