"""A job that needs somebody else."""

import socket

from tidemill import JobContext, Retry, job, seconds
from trials.diary import Trial


class Call(Trial, kind="trial.call"):
    """The port of the dependency, on this machine."""

    port: int


@job(Call, timeout=seconds(10), retry=Retry(max_attempts=1, cap=seconds(4)))
def call(args: Call, context: JobContext) -> int:
    """Connect. There is no attempt to lose."""
    args.note("calls")
    with socket.create_connection(("127.0.0.1", args.port), timeout=5):
        return context.attempt
