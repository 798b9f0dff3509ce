"""What one part of a pipeline may do to another, once both are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import aws_iam as iam

from tidemill.domain.lane import WEBHOOK_LANE
from tidemill_cdk.api import JobsApi
from tidemill_cdk.janitor import Janitor
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.permissions import deny_secrets
from tidemill_cdk.saga import SagaMachine
from tidemill_cdk.table import JobsTable


def connect_sagas(
    sagas: Mapping[str, SagaMachine], lanes: Mapping[str, BuiltLane], api: JobsApi, janitor: Janitor
) -> None:
    """Let workers and the janitor report to the machines of sagas, and the API start and show them."""
    if sagas:
        api.serve_sagas()
    for machine in sagas.values():
        for lane in machine.lanes:
            machine.let_report(lanes[lane].worker.role)
        machine.let_report(janitor.role)
        machine.let_serve(api.endpoint.role)


def keep_secrets(jobs: JobsTable, lanes: Mapping[str, BuiltLane], others: Iterable[iam.Role]) -> None:
    """Keep the secrets of webhooks from every function but the one that signs with them."""
    if WEBHOOK_LANE not in lanes:
        return
    workers = [built.worker.role for name, built in lanes.items() if name != WEBHOOK_LANE]
    for role in (*workers, *others):
        deny_secrets(role, jobs.table.table_arn)
