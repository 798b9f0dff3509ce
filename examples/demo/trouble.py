"""A job that fails twice and then succeeds, and one that dies and is brought back."""

from collections.abc import Mapping
from typing import Final

from examples.demo.checks import flaky_problem, reason_problem, redriven_problem
from examples.demo.scoreboard import Scoreboard
from examples.demo.stage import Stage
from examples.demo.watch import Sent, is_over, wait_until
from jobs.flaky import Flaky
from jobs.fragile import Fragile
from tidemill.domain.job import Job, JobRef
from tidemill.service.reception import Enveloped, receive

FLAKY: Final = "fails twice, then succeeds"
DIES: Final = "dies without its object"
DEAD_REASON: Final = "dead job has its reason in the table"
DEAD_LETTER: Final = "dead job is in its lane's DLQ"
REDRIVEN: Final = "redriven job succeeds once its cause is mended"
DLQ_EMPTY: Final = "DLQ is empty after the redrive"
CHECKS_BEFORE: Final = (FLAKY, DEAD_REASON, DEAD_LETTER)
CHECKS_AFTER: Final = (REDRIVEN, DLQ_EMPTY)

LANE: Final = "bulk"
FAILURES: Final = 2
MISSING_KEY: Final = "frame.svg"
MISSING: Final = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def submit_troubled(stage: Stage) -> list[Sent]:
    """Submit both."""
    flaky = stage.client.submit(Flaky(failures=FAILURES))
    fragile = stage.client.submit(Fragile(bucket=stage.bucket, key=MISSING_KEY))
    return [
        Sent(FLAKY, "client.submit", flaky.job.ref),
        Sent(DIES, "client.submit", fragile.job.ref),
    ]


def check_troubled(
    stage: Stage, board: Scoreboard, flaky: Sent, fragile: Sent, jobs: Mapping[JobRef, Job | None]
) -> None:
    """See what the table and the DLQ say."""
    with board.expecting(FLAKY):
        board.score(FLAKY, flaky_problem(jobs[flaky.ref], stage.client.failures(flaky.ref.id), FAILURES))
    with board.expecting(DEAD_REASON):
        failures = stage.client.failures(fragile.ref.id)
        board.score(DEAD_REASON, reason_problem(jobs[fragile.ref], failures, "permanent", "NoSuchKey"))
    with board.expecting(DEAD_LETTER):
        found = wait_until(lambda: fragile.ref in dead_letters(stage))
        board.score(DEAD_LETTER, "" if found else f"the DLQ holds {dead_letters(stage)}")


def mend_and_redrive(stage: Stage, fragile: Sent) -> str:
    """Upload what was missing, and put the dead job's message back; answers where the message was."""
    stage.put(MISSING_KEY, MISSING, "image/svg+xml")
    via = stage.program.desk.redrive(fragile.ref).via
    # Until its worker has the message, the record is still that of the dead generation.
    wait_until(
        lambda: any(is_over(job) and job is not None and job.generation > 1 for job in stage.jobs([fragile.ref]))
    )
    return via


def check_redriven(stage: Stage, board: Scoreboard, fragile: Sent, via: str) -> None:
    """See that it succeeded and that nothing is left behind."""
    with board.expecting(REDRIVEN):
        board.score(REDRIVEN, redriven_problem(stage.jobs([fragile.ref])[0], via, len(MISSING)))
    with board.expecting(DLQ_EMPTY):
        empty = wait_until(lambda: stage.program.dead_letters.depth(LANE) == 0, 10)
        board.score(DLQ_EMPTY, "" if empty else f"the DLQ holds {dead_letters(stage)}")


def dead_letters(stage: Stage) -> list[JobRef]:
    """The jobs whose messages are in the lane's DLQ."""
    messages = receive(stage.program.dead_letters.peek(LANE, 10))
    return [message.envelope.ref for message in messages if isinstance(message, Enveloped)]
