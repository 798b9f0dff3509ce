"""The schedules of a registry: EventBridge Scheduler sends each tick straight to a lane's queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from tidemill.domain.cron import Cron
from tidemill.domain.duration import days, minutes
from tidemill.domain.errors import TidemillError
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.schedule import Schedule
from tidemill.domain.tick import tick_message
from tidemill.domain.zones import zone_of
from tidemill_cdk.crowding import MOST_TOGETHER, crowded
from tidemill_cdk.failures import failure_queue
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.naming import keep_name, rename, words
from tidemill_cdk.permissions import QUEUE_SEND, allow
from tidemill_cdk.settings import DeployError

# API Reference of EventBridge Scheduler, RetryPolicy: 60 s to 24 h, and at most 185 attempts. A send that fails costs
# nobody anything, and the waits between them grow: so the most of both, as long as a tick is worth sending.
LONGEST_RETRY: Final = days(1)
SHORTEST_RETRY: Final = minutes(1)
MOST_RETRIES: Final = 185
# API Reference, CreateScheduleGroup: Name.
MAX_GROUP_NAME_CHARS: Final = 64


class Schedules(Construct):
    """One group of schedules, named as the stack, and one DLQ for the ticks that could not be sent.

    Guarantees that Scheduler may send to the queues of lanes with schedules and to its DLQ, only for this group, and
    that no tick is sent before a worker is deployed that knows it.

    Arguments:
        registry: the jobs with their schedules, at least one.
        lanes: where they run.

    Raises:
        DeployError: a schedule's zone is unknown, its arguments fit no message, or the stack's name is too long for
            a group.
    """

    def __init__(self, scope: Construct, id_: str, *, registry: JobRegistry, lanes: Mapping[str, BuiltLane]) -> None:
        super().__init__(scope, id_)
        self.sent = tuple(
            (definition, schedule) for definition, schedule in registry.schedules if not schedule.is_swept
        )
        self.lanes = {definition.lane: lanes[definition.lane] for definition, _ in self.sent}
        self.group = scheduler.ScheduleGroup(self, "Group", schedule_group_name=_group_name(Stack.of(self)))
        keep_name(self.group, "ScheduleGroup")
        self.dlq = failure_queue(self, "Dlq", "ScheduleDlq")
        self._role = self._build_role()
        for definition, schedule in self.sent:
            self._build(definition, schedule)
        self._warn_of_crowds(registry)

    @classmethod
    def of(
        cls, scope: Construct, id_: str, *, registry: JobRegistry, lanes: Mapping[str, BuiltLane]
    ) -> Schedules | None:
        """The schedules of `registry`; None if it has none, rather than a group, a role and a DLQ that nothing uses.

        Those that the janitor makes, because they may not overlap, are only checked.
        """
        swept = [schedule.is_swept for definition, schedule in registry.schedules if _checked(definition, schedule)]
        return None if all(swept) else cls(scope, id_, registry=registry, lanes=lanes)

    def _build_role(self) -> iam.Role:
        # User Guide of EventBridge Scheduler, "Confused deputy prevention": the group's ARN, not one schedule's.
        principal = iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": Stack.of(self).account,
                    "aws:SourceArn": self.group.schedule_group_arn,
                }
            },
        )
        role = iam.Role(self, "Role", assumed_by=principal, description="Sends the ticks of schedules to their lanes")
        keep_name(role, "ScheduleRole")
        allow(role, QUEUE_SEND, *(lane.queue.queue.queue_arn for lane in self.lanes.values()), self.dlq.queue_arn)
        return role

    def _build(self, definition: AnyDefinition, schedule: Schedule) -> None:
        text, zone = _message(definition, schedule), _zone(definition, schedule)
        lane = self.lanes[definition.lane]
        for (logical_id, name), expression in zip(_names(schedule), schedule.timing.expressions, strict=False):
            made = scheduler.CfnSchedule(
                self,
                logical_id,
                name=name,
                group_name=self.group.schedule_group_name,
                description=f"{definition.kind}: {schedule.timing}",
                schedule_expression=expression,
                schedule_expression_timezone=zone,
                flexible_time_window=_window(schedule.jitter),
                state="ENABLED" if schedule.enabled else "DISABLED",
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=lane.queue.queue.queue_arn,
                    role_arn=self._role.role_arn,
                    input=text,
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dlq.queue_arn),
                    retry_policy=_retry(schedule.expires_in),
                ),
            )
            rename(made, logical_id)
            # An older worker would refuse the message; a role without its policy may not send it.
            made.node.add_dependency(self._role, self.group, lane.worker.function)

    def _warn_of_crowds(self, registry: JobRegistry) -> None:
        crowd = crowded(registry.schedules)
        if crowd is not None:
            Annotations.of(self).add_warning_v2(
                "tidemill:crowded-minute",
                f"{len(crowd.names)} schedules fire in one minute ({crowd.at:%Y-%m-%d %H:%M} UTC): "
                f"{', '.join(crowd.names)}. More than {MOST_TOGETHER} jobs that start together wait for each other. "
                "Fix: move some to other minutes, or give them Schedule(..., jitter=minutes(15))",
            )


def _group_name(stack: Stack) -> str:
    if len(stack.stack_name) > MAX_GROUP_NAME_CHARS:
        raise DeployError(
            f"stack name {stack.stack_name} has more than the {MAX_GROUP_NAME_CHARS} characters of a schedule group. "
            "Fix: shorten it"
        )
    return stack.stack_name


def _names(schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Logical id and name of the resources of one schedule: the second is of its days of the week, if it has both.

    No schedule of a registry has upper-case letters, so that none has this name.
    """
    yield f"Schedule{words(schedule.title)}", schedule.title
    yield f"WeekdaySchedule{words(schedule.title)}", f"{schedule.title}.Weekdays"


def _message(definition: AnyDefinition, schedule: Schedule) -> str:
    try:
        return tick_message(definition, schedule)
    except TidemillError as error:
        raise DeployError(str(error)) from error


def _zone(definition: AnyDefinition, schedule: Schedule) -> str | None:
    if not isinstance(schedule.timing, Cron):
        return None
    try:
        return zone_of(schedule.timing.tz).key
    except TidemillError as error:
        raise DeployError(f"job {definition.kind!r}: schedule {schedule.title!r}: {error}") from error


def _checked(definition: AnyDefinition, schedule: Schedule) -> bool:
    """True, unless its zone is unknown or a worker would refuse its arguments."""
    _zone(definition, schedule)
    return bool(_message(definition, schedule))


def _window(jitter: timedelta | None) -> scheduler.CfnSchedule.FlexibleTimeWindowProperty:
    if jitter is None:
        return scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF")
    return scheduler.CfnSchedule.FlexibleTimeWindowProperty(
        mode="FLEXIBLE", maximum_window_in_minutes=jitter // minutes(1)
    )


def _retry(expires_in: timedelta | None) -> scheduler.CfnSchedule.RetryPolicyProperty:
    worth = LONGEST_RETRY if expires_in is None else max(SHORTEST_RETRY, min(expires_in, LONGEST_RETRY))
    return scheduler.CfnSchedule.RetryPolicyProperty(
        maximum_event_age_in_seconds=int(worth.total_seconds()), maximum_retry_attempts=MOST_RETRIES
    )
