"""`tidemill webhook create | show | url | rotate | pause | resume | delete | test | list`: endpoints and deliveries.

They work on the table with the operator's own rights: no route of the HTTP API shows or changes a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.cli.options import PAGE, Cursor, Json, Limit, Tenant
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from tidemill.domain.webhook.endpoint import Endpoint
    from tidemill.service.webhooks import WebhookDesk

webhook_app = typer.Typer(name="webhook", help="Who is told that a job is over.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The endpoint, as the program lists it.")]
Secret = Annotated[
    str | None, typer.Option(envvar="TIDEMILL_WEBHOOK_SECRET", help="whsec_...; by default a random one is made.")
]


@webhook_app.command("create")
def create(
    context: typer.Context,
    name: Name,
    *,
    url: Annotated[str, typer.Option(help="https://host/path, on a public host.")],
    secret: Secret = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Create an endpoint, and print its secret, once."""
    _show(_desk(context).create(name, url, secret=secret, tenant=tenant), as_json=as_json, with_secret=True)


@webhook_app.command("show")
def show(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Show an endpoint. Of its secrets, only what tells them apart."""
    _show(_desk(context).get(name, tenant), as_json=as_json)


@webhook_app.command("url")
def url_of(
    context: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="https://host/path, on a public host.")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Give an endpoint another URL."""
    _show(_desk(context).lead_to(name, url, tenant), as_json=as_json)


@webhook_app.command("rotate")
def rotate(
    context: typer.Context,
    name: Name,
    *,
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the old secret signs, too: 0s to 30d.")
    ] = "1d",
    secret: Secret = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Give an endpoint a new secret, and print it, once. Both sign for a while, so that there is no gap."""
    from tidemill.cli.durations import parse_duration

    span = parse_duration(overlap, "overlap")
    endpoint = _desk(context).rotate(name, overlap=span, secret=secret, tenant=tenant)
    _show(endpoint, as_json=as_json, with_secret=True)


@webhook_app.command("pause")
def pause(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Send nothing to an endpoint; its deliveries wait in the DLQ for a resume and a redrive."""
    _show(_desk(context).pause(name, tenant), as_json=as_json)


@webhook_app.command("resume")
def resume(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Send to an endpoint again."""
    _show(_desk(context).resume(name, tenant), as_json=as_json)


@webhook_app.command("delete")
def delete(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Delete an endpoint and its secrets."""
    from tidemill.cli import render

    _desk(context).delete(name, tenant)
    render.line(f"endpoint {name} is deleted")


@webhook_app.command("test")
def send_test(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Send an endpoint a webhook of type webhook.test."""
    from tidemill.cli import render

    receipt = _desk(context).test(name, tenant)
    if as_json:
        render.as_json({"job_id": receipt.job_id, "webhook_id": receipt.job_id})
    else:
        render.line(f"webhook {receipt.job_id} is on its way. Look: tidemill get {receipt.job_id}")


@webhook_app.command("list")
def deliveries(
    context: typer.Context,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List today's deliveries, the newest first in each part of the index. They are jobs as any other."""
    from tidemill.cli import render
    from tidemill.domain.webhook.delivery import DELIVER_KIND
    from tidemill.service.listing import Query
    from tidemill.service.view import job_view

    page = target_of(context).program.listing.jobs(Query(kind=DELIVER_KIND, tenant=tenant, limit=limit, cursor=cursor))
    if as_json:
        render.as_json({"jobs": [job_view(job) for job in page.jobs], "cursor": page.cursor})
    else:
        render.jobs(page.jobs, page.cursor, empty="no webhooks today")


def _desk(context: typer.Context) -> WebhookDesk:
    return target_of(context).webhooks


def _show(endpoint: Endpoint, *, as_json: bool, with_secret: bool = False) -> None:
    from tidemill.cli import render
    from tidemill.domain.webhook.signing import tag_of

    document = {
        "name": endpoint.ref.name,
        "tenant": endpoint.ref.tenant,
        "url": endpoint.url,
        "state": f"paused ({endpoint.pause.value})" if endpoint.pause else "active",
        "secret_tag": tag_of(endpoint.secret),
        "previous_tag": None if endpoint.previous is None else tag_of(endpoint.previous),
        "previous_until": render.moment(endpoint.previous_until),
        "changed_at": render.moment(endpoint.changed_at),
    }
    if with_secret:
        document["secret"] = endpoint.secret
    if as_json:
        render.as_json(document)
    else:
        render.fields((name, value) for name, value in document.items() if value is not None)
