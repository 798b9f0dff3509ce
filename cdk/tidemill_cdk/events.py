"""The event store: a table for streams, and one for read models where there are projections."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from tidemill.domain.registry import JobRegistry
from tidemill_cdk.naming import keep_name
from tidemill_cdk.permissions import EVENTS_APPEND, LINES_READ, TABLE_QUERY, allow
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import removal_policy

STREAMS_INDEX: Final = "streams"
GROUPS_INDEX: Final = "groups"
HALTED_INDEX: Final = "halted"


class EventsTable(Construct):
    """Facts for ever: nothing here has a time to live, and nobody's role may update or delete."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.table = _table(self, settings, stream=dynamodb.StreamViewType.NEW_IMAGE)
        # The first fact of each stream is in it, so that it costs a write unit a stream and none a fact.
        _add_index(self.table, STREAMS_INDEX, dynamodb.ProjectionType.KEYS_ONLY)
        keep_name(self.table, "EventsTable")

    def grant_append(self, grantee: iam.IGrantable) -> None:
        """Let it load streams and append to them."""
        allow(grantee, EVENTS_APPEND, self.table.table_arn)
        allow(grantee, TABLE_QUERY, f"{self.table.table_arn}/index/{STREAMS_INDEX}")


class LinesTable(Construct):
    """Read models. All of it can be rebuilt from the events table; it is kept, because that takes its time."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.table = _table(self, settings)
        _add_index(self.table, GROUPS_INDEX, dynamodb.ProjectionType.ALL)
        _add_index(self.table, HALTED_INDEX, dynamodb.ProjectionType.KEYS_ONLY)
        keep_name(self.table, "LinesTable")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let it query read models."""
        allow(grantee, LINES_READ, self.table.table_arn)
        allow(grantee, TABLE_QUERY, f"{self.table.table_arn}/index/{GROUPS_INDEX}")


class EventStore(Construct):
    """What the registry's streams and projections need; nothing without streams.

    Attributes:
        events: the streams. `lines`: the read models, None without projections.
    """

    def __init__(self, scope: Construct, id_: str, *, registry: JobRegistry, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.events = EventsTable(self, "Events", settings=settings)
        self.lines = LinesTable(self, "Lines", settings=settings) if registry.projections else None

    @classmethod
    def of(cls, scope: Construct, id_: str, *, registry: JobRegistry, settings: DeploySettings) -> EventStore | None:
        """The event store of a registry that declares streams."""
        return cls(scope, id_, registry=registry, settings=settings) if registry.streams else None

    @property
    def names(self) -> dict[str, str]:
        """The tables' names, as the runtime's settings have them."""
        lines = {} if self.lines is None else {"lines_table": self.lines.table.table_name}
        return {"events_table": self.events.table.table_name, **lines}

    def serve(self, grantee: iam.IGrantable) -> None:
        """Let it load streams, append to them and query read models."""
        self.events.grant_append(grantee)
        if self.lines is not None:
            self.lines.grant_read(grantee)


def _table(
    scope: Construct, settings: DeploySettings, *, stream: dynamodb.StreamViewType | None = None
) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        "Table",
        partition_key=_key("pk"),
        sort_key=_key("sk"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.DEFAULT,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        stream=stream,
        deletion_protection=settings.retain_data,
        removal_policy=removal_policy(settings),
    )


def _add_index(table: dynamodb.Table, name: str, projected: dynamodb.ProjectionType) -> None:
    table.add_global_secondary_index(
        index_name=name, partition_key=_key(f"{name}_pk"), sort_key=_key(f"{name}_sk"), projection_type=projected
    )


def _key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
