"""Ask for a result, and tell apart why there is none."""

from collections.abc import Callable

from pydantic import BaseModel

from tidemill import JobArgs, JobClient, JobContext, PermanentError, job, seconds
from tidemill.errors import JobFailedError, JobUnfinishedError, UnansweredError


class Quote(JobArgs, kind="guide.quote"):
    """Whose price is asked for."""

    item: str


class Price(BaseModel):
    """What the job returns, and `run` too."""

    cents: int


@job(Quote)
def quote(args: Quote, _: JobContext) -> Price:
    """Name a price."""
    if args.item == "unicorn":
        raise PermanentError("we have none")
    return Price(cents=100 * len(args.item))


def price_of(client: JobClient, item: str, sleep: Callable[[float], object]) -> str:
    """A price in words, or why there is none."""
    job_id: str | None = None
    for _ in range(3):
        try:
            price: Price = client.run(Quote(item=item), wait=seconds(30), sleep=sleep, job_id=job_id)
        except UnansweredError as error:
            # AWS failed, not the job: the same id makes no second one.
            job_id = error.job_id
        except JobFailedError as error:
            return f"no price: {error.reason}"
        except JobUnfinishedError as error:
            return f"look again later: {error.job_id}"
        else:
            return f"{price.cents} cents"
    return "try again"
