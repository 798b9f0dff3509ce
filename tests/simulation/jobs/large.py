"""Jobs whose arguments and results are too large to travel: the claim check has them."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition


class Archive(JobArgs, kind="sim.archive"):
    """Much to read, and much to return if it is asked for.

    Arguments:
        text: what there is to read.
        answer: how many characters to return. `draft`: how many a step of it remembers; none if that is 0.
    """

    number: int
    owner: str
    text: str
    answer: int
    draft: int
    secret: str = CANARY


def filled(head: str, size: int) -> str:
    """A text of `size` characters that tells whose it is, from its beginning to its end."""
    return (f"{head}|{CANARY}|" * (size // len(head) + 1))[: max(size, len(head) + 1)]


def _run(args: Archive, ctx: JobContext) -> Any:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    started = world.ledger.start(args, ctx)

    def draft() -> str:
        text = filled(f"{name}/draft-{world.next_number()}", args.draft)
        world.ledger.tell("drafted", args, ctx, text)
        return text

    if args.draft:
        world.ledger.tell("remembered", args, ctx, ctx.step("draft", draft))
    misbehave(world.behaviours[args.number].now(started), world)
    world.dependency.apply(name, args.number)
    world.ledger.end(args, ctx)
    answer = filled(f"{name}/answer-{world.next_number()}", args.answer)
    world.ledger.tell("returned", args, ctx, answer)
    return answer


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As one version of the code declares them."""
    return (job(Archive, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_run),)
