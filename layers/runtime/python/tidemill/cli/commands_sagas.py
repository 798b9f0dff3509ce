"""`tidemill saga start | show | history | cancel | resume | draw`: all through the API, which knows the sagas."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from tidemill.cli.options import Json, Tenant
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

saga_app = typer.Typer(name="saga", help="Start sagas, look at them, cancel and resume them.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The saga's name, such as orders.place.")]
SagaId = Annotated[str, typer.Argument(metavar="ID", help="The saga's id.")]


@saga_app.command()
def start(
    context: typer.Context,
    name: Name,
    args: Annotated[str, typer.Argument(metavar="ARGS", help="A JSON object, @FILE, or - for standard input.")],
    *,
    key: Annotated[str | None, typer.Option(help="Idempotency key: one saga per tenant, name and key.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Start a saga."""
    from tidemill.cli import render
    from tidemill.cli.request import read_args

    document = {"args": read_args(args), "tenant": tenant, **({"key": key} if key else {})}
    found = target_of(context).api.call("POST", f"/sagas/{quote(name, safe='')}", document)
    if as_json:
        render.as_json(found)
    else:
        render.line(f"{'started' if found['created'] else 'there already:'} {found['id']}")


@saga_app.command()
def show(
    context: typer.Context, name: Name, saga: SagaId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False
) -> None:
    """Show where a saga stands, and the jobs of its steps."""
    _show(target_of(context).api.call("GET", _path(name, saga, tenant)), as_json=as_json)


@saga_app.command()
def history(
    context: typer.Context, name: Name, saga: SagaId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False
) -> None:
    """Show what happened in a saga's state machine."""
    from tidemill.cli import render

    found = target_of(context).api.call("GET", _path(name, saga, tenant, "/history"))
    if as_json:
        render.as_json(found)
        return
    for event in found["events"]:
        render.line("  ".join(filter(None, (event["at"], event["what"], event["state"], event["error"]))))


@saga_app.command()
def cancel(
    context: typer.Context, name: Name, saga: SagaId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False
) -> None:
    """Undo a saga that has not begun its pivot."""
    _show(target_of(context).api.call("DELETE", _path(name, saga, tenant)), as_json=as_json)


@saga_app.command()
def resume(
    context: typer.Context, name: Name, saga: SagaId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False
) -> None:
    """Let a saga that needs attention go on, once its cause is mended."""
    _show(target_of(context).api.call("POST", _path(name, saga, tenant, "/resume")), as_json=as_json)


@saga_app.command()
def draw(context: typer.Context, name: Name) -> None:
    """Print a saga's picture, as Mermaid text."""
    typer.echo(target_of(context).api.call("GET", f"/sagas/{quote(name, safe='')}")["mermaid"])


def _path(name: str, saga: str, tenant: str, more: str = "") -> str:
    return f"/sagas/{quote(name, safe='')}/{quote(saga, safe='')}{more}?{urlencode({'tenant': tenant})}"


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    from tidemill.cli import render

    if as_json:
        render.as_json(found)
        return
    names = ("id", "name", "tenant", "state", "cancelled", "generation", "started_at", "finished_at", "reason")
    render.fields([(name, found.get(name)) for name in names])
    for one in found["steps"]:
        said = f"{one['role']} {one['step']}: {one['state']}, attempt {one['attempt']}, job {one['job_id']}"
        render.line(said + (f" ({one['reason']})" if one["reason"] else ""))
