"""A job that waits for others, as `async def`."""

import asyncio

from tidemill import JobArgs, JobContext, job


class AskAll(JobArgs, kind="guide.ask-all"):
    """Whom to ask."""

    names: tuple[str, ...]


@job(AskAll)
async def ask_all(args: AskAll, _: JobContext) -> list[str]:
    """Ask all at the same time."""
    return await asyncio.gather(*(_ask(name) for name in args.names))


async def _ask(name: str) -> str:
    await asyncio.sleep(0.001)  # in earnest: a call of an async client
    return f"{name} is well"
