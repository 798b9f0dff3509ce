"""The documents of schedules over HTTP: requests are read with these models, responses are held against them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tidemill.domain import limits
from tidemill.domain.overlap import Overlap
from tidemill.domain.schedule_row import Change, Missed
from tidemill.entrypoints.http_models import Link, Timestamp

Tenant = Annotated[str | None, Field(description="whose schedule; with a token: that of the token, or left out")]
Moment = Annotated[str, Field(description="RFC 3339, with its zone")]
_OVERLAP: Final = "what becomes of a tick while the job of an earlier one is not over"
_OPTIONS: Final = ("lane", "entity", "overlap", "missed", "missed_limit")
_MISSED: Final = "what becomes of ticks that the sweep was more than a minute late for"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Wish(_Request):
    tenant: Tenant = None
    args: dict[str, Any] | None = Field(default=None, description="of each job; checked against the kind")
    cron: str | None = Field(default=None, description="five fields; or give `every_seconds`")
    tz: str | None = Field(default=None, description="the IANA zone of `cron`; UTC if left out")
    every_seconds: int | None = Field(default=None, description="whole minutes")
    lane: str | None = Field(default=None, description="another lane than the kind's")
    entity: str | None = Field(default=None, description="on a FIFO lane, and only there: what the jobs are about")
    overlap: Annotated[Overlap | None, Field(strict=False)] = Field(default=None, description=_OVERLAP)
    missed: Annotated[Missed | None, Field(strict=False)] = Field(default=None, description=_MISSED)
    missed_limit: int | None = Field(
        default=None, ge=1, le=limits.MAX_MISSED_RUNS, description="how many `run_all` makes up for"
    )
    jitter_seconds: int | None = Field(
        default=None, ge=0, description="whole minutes in which each tick's job starts at a time of its own; 0 for none"
    )

    @property
    def options(self) -> dict[str, Any]:
        """Those options that are given, as `Schedules.create` and `change` take them."""
        given = {name: value for name in _OPTIONS if (value := getattr(self, name)) is not None}
        return given if self.jitter_seconds is None else {**given, "jitter": timedelta(seconds=self.jitter_seconds)}


class ScheduleRequest(_Wish):
    """A schedule to be made."""

    name: str
    kind: str
    paused: bool = Field(default=False, description="make no job before it is resumed")


class ScheduleChange(_Wish):
    """What is to be another; what is left out stays."""

    kind: str | None = Field(default=None, description="another kind, with its `args`")


class ScheduleAction(_Request):
    """Whose schedule it is."""

    tenant: Tenant = None


class ScheduleRevert(_Request):
    """Which version it is to be equal to."""

    tenant: Tenant = None
    to: int = Field(ge=1)


class TriggerRequest(_Request):
    """A job to be made now."""

    tenant: Tenant = None
    job_id: str | None = Field(default=None, description="an id of your choice, so that the request can be repeated")


class BackfillRequest(_Request):
    """The ticks of which time are to have their jobs."""

    tenant: Tenant = None
    start: Moment
    end: Moment = Field(description="not included, and over")
    dry_run: bool = Field(default=False, description="say which ticks these are, and make no job")


class _Plan(_Document):
    kind: str
    lane: str
    entity: str | None
    cron: str | None
    tz: str | None
    every_seconds: int | None
    overlap: Overlap
    missed: Missed
    missed_limit: int
    jitter_seconds: int | None = Field(description="each tick's job starts within so long after it")
    declared: bool = Field(description="the program's code says what it does")


class LastTick(_Document):
    """The latest tick whose job was made."""

    at: Timestamp
    job_id: str


class TickCounts(_Document):
    """How many ticks were made, and of those late; how many were not, and why."""

    ticks: int
    late: int
    skipped: int
    missed: int


class ScheduleSummary(_Plan):
    """A schedule."""

    name: str
    tenant: str
    version: int
    paused: bool
    created_at: Timestamp
    changed_at: Timestamp
    next_at: Timestamp | None
    waiting: bool = Field(description="the tick at `next_at` waits for another job to be over")
    problem: str | None = Field(description="why the tick at `next_at` could not be made")
    last_tick: LastTick | None
    last_missed_at: Timestamp | None
    counts: TickCounts
    link: str


class Schedule(ScheduleSummary):
    """A schedule with its jobs' arguments."""

    args: dict[str, Any]


class SchedulePage(_Document):
    """Some schedules by name."""

    schedules: list[ScheduleSummary]
    cursor: str | None


class ScheduleVersion(_Plan):
    """What a schedule was, and who made it so."""

    version: int
    change: Change
    at: Timestamp
    actor: str
    paused: bool
    reverted_to: int | None
    args: dict[str, Any]


class ScheduleVersions(_Document):
    """Some versions, newest first."""

    versions: list[ScheduleVersion]
    cursor: str | None


class Fires(_Document):
    """Next times, in UTC."""

    next: list[Timestamp]


class BackfilledJob(_Document):
    """One tick of a backfill."""

    at: Timestamp
    id: str
    created: bool = Field(description="this request made it, or of a dry run would")
    error: str | None
    link: Link


class BackfillResult(_Document):
    """What a backfill did, or of a dry run would do."""

    dry_run: bool
    ticks: int
    created: int
    failed: int
    jobs: list[BackfilledJob]


DOCUMENTS: Final = (
    ScheduleRequest,
    ScheduleChange,
    ScheduleAction,
    ScheduleRevert,
    TriggerRequest,
    BackfillRequest,
    Schedule,
    SchedulePage,
    ScheduleVersions,
    Fires,
    BackfillResult,
)
