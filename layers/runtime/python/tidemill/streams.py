"""Events, and the streams that remember them: what an event store is used with.

    from tidemill.streams import Event, Stream, connect_streams

    streams = connect_streams()
    streams.change(account, "7", lambda state: [Deposited(cents=500)])

`docs/event-store.md` is the tour.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tidemill.connect import DEFAULT_STACK, find_stack, understood
from tidemill.domain.causes import Causes
from tidemill.domain.chain import EMPTY, Break, Head, Recorded
from tidemill.domain.errors import SettingsError
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact
from tidemill.domain.projection import Projection, projection
from tidemill.domain.stream import Stream, StreamRef
from tidemill.service.read_models import ReadModels, Shown
from tidemill.service.stream_reading import Verified
from tidemill.service.streams import Loaded, Pending, Streams
from tidemill.settings import PREFIX, RuntimeSettings

if TYPE_CHECKING:
    from tidemill.aws.clients import Clients

__all__ = (
    "EMPTY",
    "Break",
    "Causes",
    "Event",
    "Fact",
    "Head",
    "Loaded",
    "Pending",
    "Projection",
    "ReadModels",
    "Recorded",
    "Shown",
    "Stream",
    "StreamRef",
    "Streams",
    "Verified",
    "connect_read_models",
    "connect_streams",
    "projection",
)


def connect_streams(
    stack: str | None = None, *, region: str | None = None, environ: Mapping[str, str] | None = None
) -> Streams:
    """The event store of one deployed stack.

    In a Lambda function of the stack it comes from the environment; otherwise the stack's outputs are read, once.

    Arguments: see `tidemill.connect`.

    Raises:
        SettingsError: the stack has no event store, because its registry declares no streams.
        StackNotFoundError, StackOutputsError, ConnectError, UnavailableError: see `tidemill.connect`.
    """
    from random import SystemRandom

    from tidemill.aws.events import DynamoEvents
    from tidemill.entrypoints.bootstrap import SystemClock

    settings, clients = _found(stack, region, os.environ if environ is None else environ)
    if not settings.events_table:
        raise SettingsError(f"{PREFIX}EVENTS_TABLE", "is empty: the registry declares no streams")
    return Streams(DynamoEvents(clients.dynamodb, settings.events_table), SystemClock(), SystemRandom())


def connect_read_models(
    stack: str | None = None, *, region: str | None = None, environ: Mapping[str, str] | None = None
) -> ReadModels:
    """The read models of one deployed stack; see `connect_streams`.

    Raises:
        SettingsError: the stack has no read models, because its registry declares no projections.
        StackNotFoundError, StackOutputsError, ConnectError, UnavailableError: see `tidemill.connect`.
    """
    from tidemill.aws.lines import DynamoLines

    settings, clients = _found(stack, region, os.environ if environ is None else environ)
    if not settings.lines_table:
        raise SettingsError(f"{PREFIX}LINES_TABLE", "is empty: the registry declares no projections")
    return ReadModels(DynamoLines(clients.dynamodb, settings.lines_table))


def _found(stack: str | None, region: str | None, environ: Mapping[str, str]) -> tuple[RuntimeSettings, Clients]:
    from tidemill.aws.clients import Clients  # botocore costs 0.2 s, and many who import this never connect

    if stack in (None, environ.get(f"{PREFIX}STACK")) and f"{PREFIX}TABLE" in environ:
        return RuntimeSettings.from_env(environ), Clients()
    with understood():
        clients = Clients(region or environ.get("AWS_REGION"))
    return find_stack(stack or DEFAULT_STACK, clients).settings, clients
