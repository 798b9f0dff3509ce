"""Every alarm of a pipeline: for each part that it has, its conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tidemill_cdk.alarms import Alarms
from tidemill_cdk.api import JobsApi
from tidemill_cdk.conditions import watch_api, watch_janitor, watch_lane, watch_sagas
from tidemill_cdk.janitor import Janitor
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.projector import Projector
from tidemill_cdk.relay import Relay
from tidemill_cdk.relay_alarms import watch_relay
from tidemill_cdk.saga import SagaMachine
from tidemill_cdk.schedule_alarms import watch_schedules
from tidemill_cdk.schedules import Schedules
from tidemill_cdk.subscription_alarms import watch_subscriptions
from tidemill_cdk.subscriptions import Subscriptions


class Parts(Protocol):
    """What a pipeline is made of; None where its program has no use for it."""

    lanes: Mapping[str, BuiltLane]
    sagas: Mapping[str, SagaMachine]
    api: JobsApi
    janitor: Janitor
    relay: Relay | None
    subscriptions: Subscriptions | None
    projector: Projector | None
    schedules: Schedules | None


def watch_all(alarms: Alarms, pipeline: Parts) -> None:
    """Watch every part."""
    for built in pipeline.lanes.values():
        watch_lane(alarms, built)
    watch_api(alarms, pipeline.api)
    watch_janitor(alarms, pipeline.janitor)
    if pipeline.relay is not None:
        watch_relay(alarms, pipeline.relay)
    if pipeline.subscriptions is not None:
        watch_subscriptions(alarms, pipeline.subscriptions)
    if pipeline.projector is not None:
        pipeline.projector.watch(alarms)
    if pipeline.schedules is not None:
        watch_schedules(alarms, pipeline.schedules)
    for machine in pipeline.sagas.values():
        machine.watch(alarms)
    for lane in dict.fromkeys(lane for machine in pipeline.sagas.values() for lane in machine.lanes):
        watch_sagas(alarms, pipeline.lanes[lane])
