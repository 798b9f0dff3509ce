"""`tidemill stream ls | show | verify`: what the event store holds, and whether it is whole."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidemill.cli.options import PAGE, Cursor, Json, Limit, Tenant
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from tidemill.domain.chain import Head, Recorded
    from tidemill.service.stream_reading import Verified

stream_app = typer.Typer(name="stream", help="Look at streams of events, and verify them.", no_args_is_help=True)
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="A stream, such as account/7.")]
Witness = Annotated[
    list[str] | None, typer.Option("--witness", metavar="VERSION:HASH", help="A head that was kept; several times.")
]


@stream_app.command()
def ls(
    context: typer.Context,
    category: Annotated[str, typer.Argument(metavar="CATEGORY", help="The first part of subjects, such as account.")],
    *,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of one tenant only.")] = None,
    as_json: Json = False,
) -> None:
    """List the streams of a category."""
    from tidemill.cli import render
    from tidemill.domain.names import check_category

    page = target_of(context).program.events.streams(check_category(category), limit, cursor, tenant)
    if as_json:
        found = [{"tenant": ref.tenant, "subject": ref.subject} for ref in page.refs]
        render.as_json({"streams": found, "cursor": page.cursor})
        return
    render.rows(("tenant", "stream"), [(ref.tenant, ref.subject) for ref in page.refs], empty="no streams")
    if page.cursor is not None:
        render.line(f"more: --cursor {page.cursor}")


@stream_app.command()
def show(
    context: typer.Context,
    subject: Subject,
    *,
    after: Annotated[int, typer.Option(help="Only facts behind this version.")] = 0,
    limit: Limit = PAGE,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Show facts of a stream, in order."""
    from tidemill.cli import render
    from tidemill.domain.names import check_sequence
    from tidemill.domain.stream import StreamRef

    program = target_of(context).program
    ref = StreamRef.of(tenant, subject)
    found = list(islice(program.events.read(ref, check_sequence(after, "after"), limit), limit))
    if as_json:
        render.as_json({"facts": [_told(one, program.settings.stack) for one in found]})
        return
    lines = [
        (str(one.version), render.moment(one.fact.at), one.fact.type, one.fact.data.decode()[:120], one.hash[:12])
        for one in found
    ]
    render.rows(("version", "time", "type", "data", "hash"), lines, empty="no facts")


@stream_app.command()
def verify(
    context: typer.Context,
    subject: Subject,
    *,
    witness: Witness = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Check every fact of a stream against the one before it, its snapshots, and heads that were kept elsewhere."""
    from tidemill.cli import render
    from tidemill.domain.store_errors import StreamBrokenError
    from tidemill.domain.stream import StreamRef

    ref = StreamRef.of(tenant, subject)
    found = target_of(context).program.streams.verify_ref(ref, [_head(one) for one in witness or ()])
    if as_json:
        render.as_json(_verdict(found))
    elif found.is_whole:
        render.line(f"{ref} is whole: {found.head.version} facts, head {found.head}")
    if found.broken is not None:
        raise StreamBrokenError(str(ref), found.broken.version, found.broken.reason)


def _told(one: Recorded, stack: str) -> dict[str, Any]:
    return {**one.fact.cloud_event(f"/tidemill/{stack}"), "hash": one.hash}


def _verdict(found: Verified) -> dict[str, Any]:
    broken = found.broken
    return {
        "whole": found.is_whole,
        "head": {"version": found.head.version, "hash": found.head.hash},
        "broken": None if broken is None else {"version": broken.version, "reason": broken.reason},
    }


def _head(text: str) -> Head:
    from tidemill.domain.chain import Head
    from tidemill.domain.errors import InputError

    version, _, digest = text.partition(":")
    if not (version.isascii() and version.isdecimal() and len(digest) == 64):
        raise InputError.at("witness", f"must be VERSION:HASH as `verify` prints it, not {text!r:.80}", "format")
    return Head(int(version), digest)
