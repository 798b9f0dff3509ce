"""Many jobs, and one that runs when they are over."""

from tidemill import JobArgs, JobClient, JobContext, JobRegistry, job
from tidemill.batches import Batch, BatchEnded, tolerate


class Resize(JobArgs, kind="album.resize"):
    """Which picture."""

    key: str


class AlbumReady(BatchEnded, kind="album.ready"):
    """Told of the end of the batch; `album` is our own."""

    album: int


class AlbumBroken(BatchEnded, kind="album.broken"):
    """The same, if too many pictures failed."""

    album: int


@job(Resize)
def resize(args: Resize, _: JobContext) -> str:
    """Make it small."""
    return f"small/{args.key}"


@job(AlbumReady)
def album_ready(args: AlbumReady, _: JobContext) -> str:
    """Publish what there is."""
    return f"album {args.album}: {args.succeeded} of {args.total}"


@job(AlbumBroken)
def album_broken(args: AlbumBroken, _: JobContext) -> list[int]:
    """Say which pictures failed."""
    return [index for index, _ in args.failures]


registry = JobRegistry(resize, album_ready, album_broken)


def publish(client: JobClient, album: int, keys: list[str]) -> str:
    """Start the batch; the same call once more, with the same key, starts nothing new."""
    batch = Batch(
        [Resize(key=key) for key in keys],
        then=AlbumReady(album=album),
        on_failure=AlbumBroken(album=album),
        completion=tolerate(2),
    )
    return client.start(batch, key=f"album:{album}").batch_id
