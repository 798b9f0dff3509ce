"""How a test names a job."""

from __future__ import annotations

from typing import Any, TypeAlias

from tidemill.domain.envelope import is_envelope, parse_body
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, JobRef
from tidemill.service.submission import DEFAULT_TENANT
from tidemill.service.submitter import Receipt
from tidemill.testing.submitted import Submitted

# What a submit answered, a record, what `submitted` lists, or an id of the tenant "default".
JobLike: TypeAlias = Receipt | Job | JobRef | Submitted[Any] | str


def ref_of(job: JobLike) -> JobRef:
    """Which job is meant."""
    match job:
        case Receipt(job=record):
            return record.ref
        case Job(ref=ref) | Submitted(ref=ref):
            return ref
        case JobRef():
            return job
        case _:
            return JobRef(DEFAULT_TENANT, job)


def ref_in(body: str) -> JobRef | None:
    """Which job a message carries; None if it is no envelope."""
    try:
        document = parse_body(body)
    except InputError:
        return None
    return JobRef(document["tenant"], document["id"]) if is_envelope(document) else None
