"""The documents of the DLQ desk over HTTP: requests are read with these models, responses are held against them."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidemill.domain.audit import Outcome
from tidemill.domain.errors import InputError, Violation
from tidemill.entrypoints.http_models import Job, Link, ProblemMembers, Timestamp
from tidemill.service.manner import Mode

# What one request may redrive: the walk through the DLQ and a few calls a job fit in the gateway's 29 seconds.
MAX_REDRIVES: Final = 50
Died = Annotated[str, Field(description="RFC 3339, with its zone")]
Tenant = Annotated[str | None, Field(description="whose jobs; with a token: that of the token, or left out")]
StepName = Annotated[str | None, Field(description="for `from_step`: that one and all after it are forgotten")]
DryRun = Annotated[bool, Field(description="say what would happen, and change nothing")]
_Model = TypeVar("_Model", bound=BaseModel)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DeadFilter(_Request):
    """Which dead jobs; what is left out matches all."""

    lane: str | None = None
    kind: str | None = None
    error: str | None = Field(default=None, description="fingerprint of the last failure")
    reason: str | None = None
    since: Died | None = None
    until: Died | None = None


class RedriveRequest(_Request):
    """How one dead job is to run again."""

    tenant: Tenant = None
    mode: Annotated[Mode | None, Field(strict=False)] = Field(default=None, description="resume if left out")
    from_step: StepName = None
    args: dict[str, Any] | None = Field(
        default=None, description="other arguments: merged into the job's own as RFC 7396 says"
    )
    replace_args: bool = Field(default=False, description="`args` are all of the arguments")
    dry_run: DryRun = False


class CanaryBird(_Request):
    """A job of a canary, as the call that redrove it answers it."""

    id: str
    generation: int = Field(ge=1, description="the one it died in")
    redriven: bool = Field(description="false: it could not be, and `failed` says why")


class RedrivesRequest(_Request):
    """Which dead jobs are to run again, and how."""

    tenant: Tenant = None
    ids: list[str] | None = Field(
        default=None, min_length=1, max_length=MAX_REDRIVES, description="these jobs, instead of a filter"
    )
    filter: DeadFilter = DeadFilter()
    mode: Annotated[Mode | None, Field(strict=False)] = Field(default=None, description="resume if left out")
    from_step: StepName = None
    limit: int = Field(default=MAX_REDRIVES, ge=1, le=MAX_REDRIVES)
    cursor: str | None = None
    rate: float | None = Field(
        default=None, description="jobs a second at the most, 0.1 to 1000, kept by calls made one after the other"
    )
    canary: int | None = Field(
        default=None, ge=1, le=MAX_REDRIVES, description="redrive only so many; the next call names them in `after`"
    )
    after: list[CanaryBird] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_REDRIVES,
        description="the canary of an earlier answer: go on if all of it ended well",
    )
    dry_run: DryRun = False


class PurgeRequest(_Request):
    """Which messages of one DLQ are to be deleted for good."""

    tenant: Tenant = None
    filter: DeadFilter = Field(description="`lane` is needed")
    confirm: int | str | None = Field(
        default=None, description="how many messages a dry run found, or the lane's name; not for a dry run"
    )
    dry_run: DryRun = False


class Effects(_Document):
    """What the job has done."""

    kept: list[str] = Field(description="finished steps that do not happen again")
    again: list[str] = Field(description="finished steps that happen again")


class EffectsByMode(_Document):
    """What each mode would do; `from_step` keeps what was done before the step."""

    resume: Effects
    restart: Effects


class Step(_Document):
    """A finished step."""

    name: str
    at: Timestamp
    generation: int


class DeadJob(Job):
    """A dead job with all that is known of it."""

    args: Any = Field(description="its arguments; null where nothing stores them")
    args_version: int | None = Field(description="which version of its kind's arguments they are")
    steps: list[Step] = Field(description="what it finished, in that order")
    effects: EffectsByMode


class DeadGroup(_Document):
    """Dead jobs with one fault."""

    error: str | None = Field(description="the fingerprint that they share; null for deaths without a failure")
    count: int
    reasons: list[str]
    kinds: list[str]
    lanes: list[str]
    first_died_at: Timestamp
    last_died_at: Timestamp
    sample: str = Field(description="id of the job that died last")
    sample_tenant: str
    message: str = Field(description="what its last failure said")
    link: Link


class DeadGroups(_Document):
    """The largest group first."""

    groups: list[DeadGroup]
    complete: bool = Field(description="false where there are more dead jobs than were looked at")


class Redrive(Effects):
    """What one redrive does, or would do."""

    id: str
    tenant: str
    mode: Mode
    from_step: str | None
    dry_run: bool
    via: str | None = Field(
        description="dlq: its own message is back; table: it was sent anew; message: it was a refused message, "
        "which becomes a new job; null for a dry run"
    )
    args: Any = Field(default=None, description="with which arguments, if they were edited")
    link: Link


class RedrivenJob(_Document):
    """A job that runs again."""

    id: str
    via: str
    link: Link


class KeptJob(ProblemMembers):
    """A job that stays dead, and why."""

    id: str


class ForeseenJob(Effects):
    """A job that would run again."""

    id: str
    link: Link


class Redrives(_Document):
    """What many redrives did, or would do."""

    dry_run: bool
    redriven: list[RedrivenJob]
    failed: list[KeptJob]
    foreseen: list[ForeseenJob] = Field(description="of a dry run")
    left: list[str] = Field(description="jobs that the time did not suffice for: name them in `ids` then")
    canary: list[CanaryBird] = Field(description="of a canary: pass it on in `after` to redrive the others")
    cursor: str | None = Field(description="for the next ones; null where there are no more")


class Purge(_Document):
    """What a purge deleted, or would delete."""

    dry_run: bool
    lane: str
    messages: int
    refusals: int = Field(description="of them refused messages, which nothing can bring back")
    kept: int = Field(description="messages of jobs that are not over, as far as the table knows: they stay")


class Action(_Document):
    """An entry of the audit trail."""

    id: str
    at: Timestamp
    ended_at: Timestamp | None = Field(description="null: it still runs, or whoever ran it died")
    actor: str = Field(description="the subject of a token, or an ARN, which a tenant sees as `operator`")
    action: str
    tenant: str | None
    chosen: dict[str, str] = Field(description="the filter, and with what care")
    manner: str | None
    outcome: Outcome
    error: str | None = Field(description="the code of what ended it, if something did")
    counts: dict[str, int]
    jobs: list[str] = Field(description="the first hundred, each as tenant/id")


class Trail(_Document):
    """What was done, newest first. A page may be short, or empty."""

    entries: list[Action]
    cursor: str | None = Field(description="for the next ones; null where there are no more")


DOCUMENTS: Final = (
    DeadJob,
    DeadGroups,
    Redrive,
    Redrives,
    Purge,
    Trail,
    RedriveRequest,
    RedrivesRequest,
    PurgeRequest,
)


def read_request(model: type[_Model], document: object) -> _Model:
    """A request's document as the model.

    Raises:
        InputError: it does not fit; each field is named.
    """
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise InputError(
            *(Violation(".".join(map(str, one["loc"])) or "body", one["msg"], one["type"]) for one in found)
        ) from None
