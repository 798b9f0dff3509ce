"""A job that dies until somebody mends what it needs."""

from pydantic import Field

from jobs.storage import storage
from tidemill import JobArgs, JobContext, Retry, job, seconds


class Fragile(JobArgs, kind="demo.fragile"):
    """The object that must be there."""

    bucket: str = Field(min_length=3, max_length=63)
    key: str = Field(min_length=1, max_length=1024)


# In lane `bulk`, whose worker may read the bucket of pictures.
@job(Fragile, lane="bulk", retry=Retry(max_attempts=3, delays=(seconds(1),)), timeout=seconds(30))
def measure_object(args: Fragile, _: JobContext) -> int:
    """Answer the size of the object in bytes. Without the object the job dies at once: waiting would not bring it."""
    with storage().get_object(Bucket=args.bucket, Key=args.key)["Body"] as body:
        return len(body.read())
