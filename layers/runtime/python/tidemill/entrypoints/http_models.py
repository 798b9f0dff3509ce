"""The documents of the HTTP API, as models: what its OpenAPI document says of them is generated from here.

Responses are written as plain dictionaries (`tidemill.service.view`, `http_submit`, `http_problems`), which
costs a tenth of a model's CPU; the tests hold every response against these models' schemas.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tidemill.domain import limits
from tidemill.domain.batch_record import BatchState
from tidemill.domain.lifecycle import State
from tidemill.entrypoints.http_batches import MAX_LISTED
from tidemill.entrypoints.http_lookup import MAX_FAILURES

Timestamp = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        json_schema_extra={"format": "date-time"},
        description="RFC 3339, UTC, with milliseconds",
    ),
]
Link = Annotated[str, Field(description="where the job is found, as a path on this API")]
Index = Annotated[int, Field(ge=0, description="the job's place in the request, from 0")]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failure(_Document):
    """One failed attempt of a job."""

    generation: int
    attempt: int
    at: Timestamp
    type: str
    message: str
    trace: str
    fingerprint: str


class Progress(_Document):
    """How far a running job says that it is."""

    done: int
    total: int | None
    note: str | None


class JobSummary(_Document):
    """A job's record."""

    id: str
    tenant: str
    kind: str
    lane: str
    state: State
    key: str | None
    generation: int = Field(ge=1, description="1, and one more for each redrive or rerun")
    attempt: int = Field(ge=0, description="attempts of this generation so far")
    deferrals: int = Field(ge=0)
    crashes: int = Field(ge=0)
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    due_at: Timestamp | None = Field(description="while it waits: not before this")
    expires_at: Timestamp | None = Field(description="if it has not started by then, it never runs")
    reason: str | None = Field(description="why it is in this state")
    error: str | None = Field(description="fingerprint of the last failure, equal for equal failures")
    correlation_id: str | None
    cancel_asked: bool = Field(description="somebody asked it to stop while it ran")
    progress: Progress | None = Field(description="only while it runs")
    link: Link


class Asked(_Document):
    """One answer that a job waits for, or was given. Of it nothing but a job shows what was answered."""

    name: str
    status: Literal["unasked", "open", "answered", "timed_out"]
    asks: str | None = Field(description="what the job wants to know")
    asked_at: Timestamp | None
    ends_at: Timestamp | None = Field(description="until when it can be answered")
    timed_out_at: Timestamp | None
    by: str | None = Field(description="who decided")
    means: str | None = Field(description="`client`, `api` or `link`")
    at: Timestamp | None


class Wait(Asked):
    """The same with the answer."""

    answer: Any


class Question(Asked):
    """What a token lets its holder answer."""

    job_id: str
    kind: str
    state: State
    for_: str | None = Field(alias="for", description="whom the token was made for")
    token_expires_at: Timestamp


class Answered(_Document):
    """An answer that a job has."""

    job_id: str
    name: str
    created: bool = Field(description="whether this request gave it; else it is the first one, which was the same")
    answer: Any
    by: str
    means: str
    at: Timestamp


class Job(JobSummary):
    """A job's record, with what it returned once it has succeeded, and its failures if asked for or dead."""

    result: Any = Field(default=None, description="what the job returned; only when succeeded")
    result_omitted: str = Field(default="", description="why a result is left out: too large for an answer, or gone")
    failures: list[Failure] = Field(default=[], description=f"the latest {MAX_FAILURES}, oldest first")
    waits: list[Wait] = Field(default=[], description="what it asks or was answered, if its kind declares answers")


class JobPage(_Document):
    """Some jobs. A page may be short, or empty, while `cursor` still leads on."""

    jobs: list[JobSummary]
    cursor: str | None = Field(description="for the next page; null on the last")


class CancelledPage(_Document):
    """What became of the jobs of one page, by id."""

    cancelled: list[str] = Field(description="they never run, or were killed")
    asked: list[str] = Field(description="they run, and were asked to stop")
    over: list[str] = Field(description="they had ended before")
    unanswered: list[str] = Field(description="AWS did not answer for them; repeat the call")
    cursor: str | None = Field(description="for the next page; null on the last")


class Receipt(_Document):
    """An accepted job."""

    id: str
    state: State
    created: bool = Field(description="false when the key was seen before and its job stands")
    link: Link


class FieldViolation(_Document):
    """One thing that is wrong with the request."""

    field: str = Field(description="such as `args.width`")
    problem: str
    code: str


class ProblemMembers(_Document):
    """What every problem says."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    violations: list[FieldViolation]
    retryable: bool = Field(description="whether the API failed, so that the same request may succeed later")
    job_id: str = Field(default="", description="the job that stands in the way, if one does")
    batch_id: str = Field(default="", description="the batch that it is about, if it is about one")


class AcceptedJob(Receipt):
    """An accepted job of a batch."""

    index: Index


class RefusedJob(ProblemMembers):
    """A job of a batch that was not accepted, as a problem of its own."""

    index: Index


class BatchResult(_Document):
    """A result for each job, in the order of the request."""

    results: list[AcceptedJob | RefusedJob]


class Problem(ProblemMembers):
    """A problem document (RFC 9457)."""

    request_id: str = Field(description="leads to the log")
    job: Job | None = Field(default=None, description="the job that failed, where the request waited for it")
    by: str = Field(default="", description="who gave the other answer, where the job has one")
    at: str = Field(default="", description="when that was, as RFC 3339 in UTC")
    means: str = Field(default="", description="how it came")


class StartedBatch(_Document):
    """An accepted batch, chain or graph."""

    id: str
    state: BatchState
    total: int = Field(ge=0, description="how many children it has")
    submitted: int = Field(ge=0, description="how many of them are accepted")
    created: bool = Field(description="false when the key was seen before and its batch stands")
    jobs: int = Field(ge=0, le=limits.MAX_BATCH_CHILDREN, description="its jobs, all levels together")
    link: Annotated[str, Field(description="where the batch is found, as a path on this API")]


class LostChild(_Document):
    """A child that did not succeed."""

    index: int = Field(ge=0, description="its place in the batch, from 0")
    id: str = Field(description="of its job, or of the batch that it is")
    state: Literal["failed", "cancelled"]


class Batch(_Document):
    """A batch, and how many of its children ended how."""

    id: str
    tenant: str
    key: str | None
    state: BatchState
    total: int = Field(ge=0)
    submitted: int = Field(ge=0, description="while it is submitting: how far that came")
    succeeded: int = Field(ge=0)
    failed: int = Field(ge=0, description="dead, or expired")
    cancelled: int = Field(ge=0)
    skipped: int = Field(ge=0, description="what they wait for did not succeed, so that they can't start")
    open: int = Field(ge=0, description="nothing of that is true of them yet")
    cancel_asked: bool
    created_at: Timestamp
    ended_at: Timestamp | None
    link: Annotated[str, Field(description="where the batch is found, as a path on this API")]
    failures: list[LostChild] = Field(default=[], description=f"if asked for; the first {MAX_LISTED}, by index")


class BatchProblem(Problem):
    """Not one job of a batch was accepted. `results` says why, where the batch could be read."""

    results: list[RefusedJob] = []
