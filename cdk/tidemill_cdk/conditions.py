"""What wakes somebody, and what that person should look at first."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from tidemill.domain.lifecycle import State
from tidemill.domain.sizing import LaneSizing
from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.api import JobsApi
from tidemill_cdk.janitor import Janitor
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.metrics import lane_metric, most, stack_metric, total
from tidemill_cdk.naming import pascal
from tidemill_cdk.settings import DeployError, DeploySettings
from tidemill_cdk.worker import LaneWorker

# Five sweeps in a row that did not run are no hiccup of the scheduler.
MISSED_SWEEPS: Final = 5

# What the janitor counts of schedules that were made at run time.
TICKS: Final = {
    "TicksMissed": "The janitor came too late for ticks of schedules, and their policy drops them. `tidemill schedule "
    "ls` shows whose; backfill what is needed",
    "TicksLate": "Ticks of schedules were made over a minute after their time. See JanitorErrors and JanitorSilent",
    "TicksRefused": "Ticks of schedules can't be made; the log line tick_refused names them. Change the schedule, or "
    "deploy code that knows its kind: then they are made up for",
}


def watch_lane(alarms: Alarms, built: BuiltLane) -> None:
    """Watch a lane's queue, DLQ, worker and outcomes."""
    lane = built.lane.name
    oldest = _oldest_allowed(alarms.settings, built.sizing)
    queue = _queue_conditions(built, oldest)
    for name, condition in {**queue, **_worker_conditions(lane, built.worker)}.items():
        alarms.add(f"{name}{pascal(lane)}", condition)


def watch_sagas(alarms: Alarms, built: BuiltLane) -> None:
    """Watch for jobs of a lane that a saga can't do without, and that gave up."""
    lane = built.lane.name
    advice = (
        f"A compensation, or a step after its pivot, died in lane {lane}: its saga waits for a person. The log has its "
        "id; mend the cause, then `tidemill saga resume`"
    )
    metric = lane_metric(built.worker, lane, "SagasNeedAttention")
    alarms.add(f"SagasNeedAttention{pascal(lane)}", Condition(metric, threshold=1, advice=advice))


def watch_api(alarms: Alarms, api: JobsApi) -> None:
    """Watch for answers that are our fault, and for callers turned away by Lambda."""
    alarms.add(
        "ApiServerErrors",
        Condition(
            total(api.http.metric_server_error),
            threshold=1,
            advice="The API answered 5xx. The log group of function Api has the request id and the error",
        ),
    )
    alarms.add(
        "ApiThrottles",
        Condition(
            total(api.endpoint.function.metric_throttles),
            threshold=1,
            advice="Lambda throttles the API. Raise the account's concurrency quota, or lower api_rate",
        ),
    )


def watch_janitor(alarms: Alarms, janitor: Janitor) -> None:
    """Watch that it runs at all: without it nothing that is due later gets sent."""
    alarms.add(
        "JanitorErrors",
        Condition(
            total(janitor.function.metric_errors),
            threshold=1,
            periods=2,
            advice="The janitor failed twice in a row. Its log group has the error; jobs that are due wait for it",
        ),
    )
    alarms.add(
        "JanitorSilent",
        Condition(
            # Counted as missed ticks, so that silence (no data at all) reads as what it is.
            total(janitor.function.metric_invocations),
            threshold=1,
            below=True,
            periods=MISSED_SWEEPS,
            missing=cloudwatch.TreatMissingData.BREACHING,
            advice="The janitor does not run. See its rule JanitorTick; jobs that are due wait for it",
        ),
    )
    alarms.add(
        "JanitorFailedTick",
        Condition(
            most(janitor.failed_ticks.metric_approximate_number_of_messages_visible),
            threshold=1,
            advice="A sweep failed for good. The next one did its work; the message in the queue says why",
        ),
    )
    for name, advice in TICKS.items():
        alarms.add(name, Condition(stack_metric(janitor, name), threshold=1, advice=advice))


def _oldest_allowed(settings: DeploySettings, sizing: LaneSizing) -> timedelta:
    # A message is no sign of trouble while its batch may still run and be tried once more.
    allowed = max(settings.max_queue_age, sizing.function_timeout * 2)
    if allowed * 2 >= sizing.retention:
        raise DeployError(
            f"max_queue_age {allowed} leaves no time to act before SQS deletes messages after {sizing.retention}. "
            f"Fix: choose less than {sizing.retention / 2}"
        )
    return allowed


def _queue_conditions(built: BuiltLane, oldest: timedelta) -> dict[str, Condition]:
    lane, queue, sizing = built.lane.name, built.queue, built.sizing
    cause = "look for a slow or paused dependency"
    if built.lane.fifo:
        cause = f"look for a job that keeps failing, which blocks its entity: `tidemill list --state {State.RETRYING}`"
    return {
        "DlqArrival": Condition(
            most(queue.dlq.metric_approximate_number_of_messages_visible),
            threshold=1,
            advice=f"A job of lane {lane} died. See `tidemill dlq ls --lane {lane}`. Redrive once its cause is mended",
        ),
        # SQS counts this age from the move into the DLQ, but its retention from the first send: with
        # half of the DLQ's retention gone after all of the source's, three days are left.
        "DlqAge": Condition(
            most(queue.dlq.metric_approximate_age_of_oldest_message),
            threshold=(sizing.dlq_retention / 2).total_seconds(),
            advice=f"SQS will soon delete dead jobs of lane {lane} from its DLQ. See `tidemill dlq ls --lane {lane}`, "
            f"then mend their cause and redrive them: `tidemill dlq redrive --lane {lane}`",
        ),
        "QueueAge": Condition(
            most(queue.queue.metric_approximate_age_of_oldest_message),
            threshold=oldest.total_seconds(),
            advice=f"Lane {lane} falls behind. Raise its max_concurrency, or {cause}",
        ),
    }


def _worker_conditions(lane: str, worker: LaneWorker) -> dict[str, Condition]:
    return {
        # A failing job is reported, not raised: an error here is a time-out, a crash or a broken import.
        "WorkerErrors": Condition(
            total(worker.function.metric_errors),
            threshold=1,
            advice=f"The worker of lane {lane} crashed or ran out of time. Its log group has the last lines",
        ),
        # The mapping bounds the worker, so a throttle means that the account's concurrency is used up. One
        # that heals within two minutes needs nobody.
        "WorkerThrottles": Condition(
            total(worker.function.metric_throttles),
            threshold=1,
            periods=3,
            advice=f"Lambda throttles the worker of lane {lane}. Raise the account's concurrency quota",
        ),
        # Lambda's Errors metric stays 0 when jobs fail, so this alarm is on our own count.
        "JobsDead": Condition(
            lane_metric(worker, lane, "JobsDead"),
            threshold=1,
            advice=f"A job of lane {lane} used up its attempts. See `tidemill list --state dead`",
        ),
    }
