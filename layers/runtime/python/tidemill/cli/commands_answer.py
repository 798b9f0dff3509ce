"""`tidemill answer`: give a job what it waits for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tidemill.cli.options import JobId, Json, Tenant, ref_of
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT


def answer(
    context: typer.Context,
    job: JobId,
    name: Annotated[str, typer.Argument(help="What the job waits for, such as `approval`.")],
    value: Annotated[str, typer.Argument(metavar="JSON", help="The answer, such as '{\"granted\": true}'.")],
    *,
    by: Annotated[str | None, typer.Option(help="Who decided, if not you.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Answer what a job waits for, or will. The first answer counts."""
    from tidemill.cli import render
    from tidemill.domain.names import check_wait
    from tidemill.domain.strict_json import load_strict

    ref = ref_of(job, tenant)
    document: dict[str, Any] = {"answer": load_strict(value, "answer"), "tenant": ref.tenant}
    if by is not None:
        document["by"] = by
    given = target_of(context).api.post(f"/jobs/{ref.id}/answers/{check_wait(name)}", document)
    if as_json:
        render.as_json(given)
        return
    known = "" if given["created"] else ", which it had already"
    render.line(f"job {given['job_id']} has its answer to {given['name']} from {given['by']}{known}")
