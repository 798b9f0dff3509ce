"""The two tables: jobs, and Powertools' idempotency records."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from tidemill_cdk.naming import keep_name
from tidemill_cdk.settings import DeploySettings

LIST_INDEX: Final = "list"
ATTENTION_INDEX: Final = "attention"
DUE_INDEX: Final = "due"


def removal_policy(settings: DeploySettings) -> RemovalPolicy:
    """Whether data outlives the stack."""
    return RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY


class JobsTable(Construct):
    """The jobs: state items, their siblings and three sparse indexes of keys.

    The indexes are always there: one that no item names costs nothing, and switching the list index
    on later must not wait for a table's backfill. Items name `list` when the runtime setting
    `list_index` is on, `attention` while they are scheduled, retrying or dead, and `due` while scheduled.
    """

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_key("pk"),
            sort_key=_key("sk"),
            # Nothing is paid while idle, and a burst needs no plan.
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            # The key that DynamoDB owns: encrypted at rest, nothing to pay while idle, no key policy that can
            # stop every job (docs/decisions/0012).
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="ttl",
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            deletion_protection=settings.retain_data,
            removal_policy=removal_policy(settings),
        )
        self._add_index(LIST_INDEX)
        self._add_index(ATTENTION_INDEX)
        self._add_index(DUE_INDEX)
        keep_name(self.table, "JobsTable")

    def index_arn(self, index: str) -> str:
        """The ARN of one index, for a role that may query it alone."""
        return f"{self.table.table_arn}/index/{index}"

    def _add_index(self, name: str) -> None:
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=_key(f"{name}_pk"),
            sort_key=_key(f"{name}_sk"),
            # Keys never change while a job lives, so an update of the job writes nothing here.
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


class IdempotencyTable(Construct):
    """The table of Powertools' idempotency decorators, with the attribute names that they use by default."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_key("id"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expiration",
            deletion_protection=settings.retain_data,
            removal_policy=removal_policy(settings),
        )
        keep_name(self.table, "IdempotencyRecords")


def _key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
