"""Thumbnails of real photographs, submitted in each of the ways there are."""

from collections.abc import Mapping, Sequence
from typing import Final

from examples.demo.checks import thumbnail_problem
from examples.demo.photographs import NAMES, photograph
from examples.demo.scoreboard import Scoreboard
from examples.demo.stage import Stage, job_of_message
from examples.demo.watch import Sent
from jobs.thumbnail import MakeThumbnail
from tidemill.domain.job import Job, JobRef
from tidemill.service.submission import DEFAULT_TENANT

# How each is submitted: the check's name, and the thumbnail asked for.
BY_HTTP: Final = "thumbnail by HTTP"
BY_SQS: Final = "thumbnail by plain SQS"
BY_CLIENT: Final = "thumbnail by client"
CHECKS: Final = (BY_HTTP, BY_SQS, BY_CLIENT)


def upload_photographs(stage: Stage) -> str:
    """Put the photographs into the bucket; answers what was put."""
    for name in NAMES:
        stage.put(name, photograph(name), "image/jpeg")
    return f"{' and '.join(NAMES)} in s3://{stage.bucket}"


def orders(bucket: str) -> dict[str, MakeThumbnail]:
    """The thumbnail that each check is about."""
    return {
        BY_HTTP: MakeThumbnail(bucket=bucket, key="china.jpg", width=320),
        BY_SQS: MakeThumbnail(bucket=bucket, key="flower.jpg", width=160, format="webp"),
        BY_CLIENT: MakeThumbnail(bucket=bucket, key="flower.jpg", width=96, format="png"),
    }


def submit_thumbnails(stage: Stage) -> list[Sent]:
    """Submit one by HTTP, one as a plain SQS message, one by the Python client."""
    by = orders(stage.bucket)
    kind = MakeThumbnail.job_kind
    answer = stage.api.post("/jobs", {"kind": kind, "args": by[BY_HTTP].model_dump(exclude_none=True)})
    (message_id,) = stage.send("bulk", {"kind": kind, "args": by[BY_SQS].model_dump(exclude_none=True)})
    receipt = stage.client.submit(by[BY_CLIENT])
    return [
        Sent(BY_HTTP, "POST /jobs", JobRef(DEFAULT_TENANT, answer.body["id"])),
        Sent(BY_SQS, "SendMessage", job_of_message(kind, message_id)),
        Sent(BY_CLIENT, "client.submit", receipt.job.ref),
    ]


def check_thumbnails(stage: Stage, board: Scoreboard, sent: Sequence[Sent], jobs: Mapping[JobRef, Job | None]) -> None:
    """Open every thumbnail."""
    by = orders(stage.bucket)
    for job in sent:
        with board.expecting(job.label):
            order = by[job.label]
            made = stage.client.result(job.ref.id)
            data = stage.read(order.target[1])
            problem = thumbnail_problem(jobs[job.ref], made, data, width=order.width, format_=order.format)
            board.score(job.label, problem)


def made_thumbnails(stage: Stage) -> list[bytes]:
    """The first thumbnail of each photograph."""
    by = orders(stage.bucket)
    return [stage.read(by[name].target[1]) for name in (BY_HTTP, BY_SQS)]
