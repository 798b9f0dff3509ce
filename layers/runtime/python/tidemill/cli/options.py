"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from tidemill.domain.job import JobRef
from tidemill.domain.limits import MAX_CONTRACT_VERSION
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.service.submission import DEFAULT_TENANT

Json = Annotated[bool, typer.Option("--json", help="Print JSON: the answer on stdout, errors on stderr.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose job it is.")]
Limit = Annotated[int, typer.Option("--limit", help="Jobs a page, 1 to 100.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="From the page before.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or TENANT/ID.")]
At = Annotated[
    str | None, typer.Option(metavar="TIME", help="Start no sooner: 2026-12-01T09:00:00+01:00; instead of --delay.")
]
Durable = Annotated[
    bool, typer.Option("--durable-args", help="Let a delay of up to 15m be moved earlier, for a write more.")
]
Sequence = Annotated[
    str | None, typer.Option(metavar="NUMBER", help="Its number among the entity's jobs; else the next one.")
]
ArgsVersion = Annotated[
    int | None,
    typer.Option(
        "--args-version",
        min=1,
        max=MAX_CONTRACT_VERSION,
        metavar="NUMBER",
        help="Which version of the kind's arguments these are; else 1.",
    ),
]
Jobs = Annotated[
    str, typer.Option(envvar="TIDEMILL_JOBS", metavar="MODULE:NAME", help="The project's jobs; in ./functions.")
]

PAGE = 50
REGISTRY = "jobs:registry"


def ref_of(text: str, tenant: str = DEFAULT_TENANT) -> JobRef:
    """The job that `ID` or `TENANT/ID` names.

    Raises:
        InputError: the id or the tenant is ill-formed.
    """
    named, slash, job_id = text.rpartition("/")
    return JobRef(check_tenant(named if slash else tenant), check_job_id(job_id))
