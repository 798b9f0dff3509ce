"""`tidemill batch start | show | watch | cancel`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tidemill.cli.options import Json, Tenant, ref_of
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from tidemill.service.batch_view import BatchView

batch_app = typer.Typer(name="batch", help="Batches, chains and graphs of jobs.", no_args_is_help=True)

BatchId = Annotated[str, typer.Argument(metavar="ID", help="The batch's id, or TENANT/ID.")]
# Children that did not succeed, of which `show` tells.
_LISTED: Final = 100


@batch_app.command("start")
def start(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help='JSON: {"children": [...]}, @FILE, or - for stdin.')],
    *,
    key: Annotated[str | None, typer.Option(help="Idempotency key: one batch per tenant and key.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose batch it is.", show_default="the flow's, or default")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start a batch, chain or graph through the stack's HTTP API."""
    from tidemill.cli import render
    from tidemill.cli.request import read_object
    from tidemill.domain import limits
    from tidemill.service.nearness import is_near

    document = read_object(flow, "flow")
    for name, given in (("key", key), ("tenant", tenant)):
        _fill(document, name, given)
    accepted = target_of(context).api.post("/batches", document)
    if as_json:
        render.as_json(accepted)
    else:
        word = "accepted" if accepted["created"] else "exists"
        render.line(f"batch {accepted['id']} {word}: {accepted['submitted']:,} of {accepted['total']:,} submitted")
    if is_near(accepted["jobs"], limits.MAX_BATCH_CHILDREN):
        most = f"{limits.MAX_BATCH_CHILDREN:,}"
        typer.echo(f"warning: {accepted['jobs']:,} of the {most} jobs that a batch may have", err=True)


@batch_app.command("show")
def show(
    context: typer.Context,
    batch: BatchId,
    *,
    failures: Annotated[bool, typer.Option("--failures", help="Those that did not succeed, too.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Show a batch: how many of its children ended how."""
    from tidemill.cli import render
    from tidemill.service.batch_view import batch_document

    ref, desk = ref_of(batch, tenant), target_of(context).program.client.batches
    view = desk.get(ref.id, ref.tenant)
    lost = list(islice(desk.not_succeeded(ref.id, ref.tenant), _LISTED)) if failures else []
    if as_json:
        listed = [{"index": one.index, "id": one.job_id, "state": one.fate.value} for one in lost]
        render.as_json({**batch_document(view), **({"failures": listed} if failures else {})})
        return
    _show(view)
    if failures:
        lines = [(one.job_id, one.index, one.fate, one.job.reason if one.job else None) for one in lost]
        render.rows(["id", "child", "state", "reason"], lines, empty="all that ended succeeded")


@batch_app.command("watch")
def watch(
    context: typer.Context,
    batch: BatchId,
    *,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Stop watching after this; that is a failure.")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Show how far a batch is until it ends; fail unless it succeeds."""
    from tidemill.cli import render, watching
    from tidemill.service.batch_view import batch_document

    ref, desk = ref_of(batch, tenant), target_of(context).program.client.batches
    view = watching.watch(lambda: desk.get(ref.id, ref.tenant), timeout, shown=not as_json)
    if as_json:
        render.as_json(batch_document(view))
    else:
        render.line(watching.sentence(view))
    watching.check_succeeded(view, timeout)


@batch_app.command("cancel")
def cancel(
    context: typer.Context,
    batch: BatchId,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Cancel the children that wait, ask those that run to stop, and let no other start."""
    from tidemill.cli import render, watching
    from tidemill.service.batch_view import batch_document

    ref, desk = ref_of(batch, tenant), target_of(context).program.client.batches
    view = desk.cancel(ref.id, ref.tenant)
    if as_json:
        render.as_json(batch_document(view))
    else:
        render.line(watching.sentence(view))


def _fill(document: dict[str, Any], name: str, given: str | None) -> None:
    """Put an option into the flow, which may say the same by itself."""
    from tidemill.domain.errors import InputError

    if given is None:
        return
    found = document.get(name)
    if found not in (None, given):
        problem = f"is {given!r} by the option and {found!r:.60} in the flow. Fix: leave one of the two out"
        raise InputError.at(name, problem, "ambiguous")
    document[name] = given


def _show(view: BatchView) -> None:
    from tidemill.cli import render

    batch = view.batch
    render.fields(
        [
            ("batch", batch.ref.id),
            ("state", view.state),
            ("tenant", batch.ref.tenant),
            ("key", batch.key),
            ("children", f"{batch.size:,}"),
            ("submitted", f"{batch.submitted:,}" if batch.submitted < batch.size else None),
            ("succeeded", f"{view.succeeded:,}"),
            ("failed", view.failed or None),
            ("cancelled", view.cancelled or None),
            ("skipped", view.skipped or None),
            ("open", view.open or None),
            ("created", render.moment(batch.created_at)),
            ("ended", render.moment(batch.ended.at) if batch.ended else None),
        ]
    )
