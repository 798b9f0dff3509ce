"""One lane more than the three that every registry has."""

from tidemill import DEFAULT_LANES, JobArgs, JobContext, JobRegistry, Lane, job, minutes


class Render(JobArgs, kind="guide.render"):
    """What to render."""

    scene: str


@job(Render, lane="gpu", timeout=minutes(10))
def render(args: Render, _: JobContext) -> str:
    """Render it."""
    return f"{args.scene}.png"


gpu = Lane("gpu", batch_size=4, concurrency=4, max_concurrency=5, memory_mb=8192)
registry = JobRegistry(render, lanes=(*DEFAULT_LANES, gpu))
