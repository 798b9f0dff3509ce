"""What must be true afterwards. Each check is a pure function that answers what is wrong, "" if nothing is."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from typing import Any

from PIL import Image

from examples.demo.signed import Answer
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import AttemptFailure


def state_problem(job: Job | None, state: State) -> str:
    """Whether the job is in `state`."""
    if job is None:
        return "the job has no record"
    return "" if job.state is state else f"the job is {job.state} ({job.reason}), not {state}"


def thumbnail_problem(job: Job | None, result: Mapping[str, Any], data: bytes, *, width: int, format_: str) -> str:
    """Whether the job succeeded, and the object that it wrote is the picture that it said it wrote."""
    if problem := state_problem(job, State.SUCCEEDED):
        return problem
    with Image.open(BytesIO(data)) as image:
        found = (image.format, image.width, image.height, len(data), sha256(data).hexdigest())
    # The photographs are 640 x 427.
    wanted = (format_.upper(), width, round(width * 427 / 640), result["size"], result["sha256"])
    return "" if found == wanted else f"the object is {found}, not {wanted}"


def bulk_problem(jobs: Sequence[Job | None], results: Mapping[str, str | None], count: int) -> str:
    """Whether every job ran once, succeeded, and answered its own message.

    Arguments:
        results: by job id, the result that each must have, as JSON text.
    """
    done = [job for job in jobs if job is not None and job.state is State.SUCCEEDED]
    if len(done) != count:
        return f"{len(done)} of {count} succeeded"
    repeated = [job for job in done if job.attempt != 1]
    if repeated:
        return f"{len(repeated)} of {count} took more than one attempt"
    wrong = [job for job in done if job.result != results[job.ref.id]]
    return f"{len(wrong)} of {count} have another's result" if wrong else ""


def flaky_problem(job: Job | None, failures: Sequence[AttemptFailure], times: int) -> str:
    """Whether the job failed `times` times, each with its evidence, and then succeeded."""
    if problem := state_problem(job, State.SUCCEEDED):
        return problem
    attempts = [failure.attempt for failure in failures]
    if attempts != list(range(1, times + 1)):
        return f"the table has failures of the attempts {attempts}, not of the first {times}"
    return "" if job and job.attempt == times + 1 else f"it took {job.attempt if job else 0} attempts"


def reason_problem(job: Job | None, failures: Sequence[AttemptFailure], reason: str, words: str) -> str:
    """Whether the job is dead for `reason`, and the table's evidence has these words."""
    if problem := state_problem(job, State.DEAD):
        return problem
    if job is None or job.reason != reason:
        return f"the reason is {job.reason if job else None!r}, not {reason!r}"
    said = failures[-1].failure.message if failures else ""
    return "" if words in said else f"the table says {said!r}, nothing of {words!r}"


def redriven_problem(job: Job | None, via: str, size: int) -> str:
    """Whether the job went back from the DLQ and succeeded as its second generation, with the mended cause's size."""
    if problem := state_problem(job, State.SUCCEEDED):
        return problem
    found = (via, job.generation, job.result) if job else None
    wanted = ("dlq", 2, str(size))
    return "" if found == wanted else f"(via, generation, result) is {found}, not {wanted}"


def refused_problem(answer: Answer, status: int, field: str) -> str:
    """Whether the API refused with a problem document that names `field`."""
    if answer.status != status:
        return f"the API answered {answer.status}, not {status}: {answer.body}"
    return "" if field in str(answer.body) else f"the answer does not name {field!r}: {answer.body}"


def repeated_problem(first: Answer, second: Answer) -> str:
    """Whether the second submit under one key was answered with the first one's job."""
    if (first.status, second.status) != (202, 200):
        return f"the API answered {first.status}, then {second.status}, not 202, then 200: {second.body}"
    ids = (first.body["id"], second.body["id"])
    return "" if ids[0] == ids[1] else f"the keys led to two jobs: {ids}"
