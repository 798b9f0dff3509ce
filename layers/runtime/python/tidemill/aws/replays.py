"""Archives and replays of the stack's bus in EventBridge. See `tidemill.domain.ports.replays.Replays`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from tidemill.aws.clients import Clients
from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.domain.fact_message import template_of
from tidemill.domain.replay import Archive, Replay, ReplayOrder, ReplayState, Subscriber

_EXISTS: Final = "ResourceAlreadyExistsException"
_MISSING: Final = "ResourceNotFoundException"
# API Reference, CancelReplay: "can't be canceled because the state is not valid".
_OVER: Final = "IllegalStatusException"


class EventBridgeReplays:
    """`Replays` of one bus.

    A subscriber is known by what its rule says: one target whose input is the text that `template_of` makes of the
    kind, and a pattern with one type of event.

    Arguments:
        bus: the bus's name.
    """

    def __init__(self, clients: Clients, bus: str) -> None:
        self._events = clients.events
        self._bus = bus

    @property
    def bus(self) -> str:
        """See Replays."""
        return self._bus

    def subscribers(self) -> list[Subscriber]:
        """See Replays."""
        return sorted(self._subscribers(), key=lambda one: (one.kind, one.type))

    def _subscribers(self) -> Iterator[Subscriber]:
        for rule in self._pages("list_rules", "Rules", EventBusName=self._bus):
            types = json.loads(rule.get("EventPattern") or "{}").get("detail-type", ())
            targets = self._pages("list_targets_by_rule", "Targets", EventBusName=self._bus, Rule=rule["Name"])
            for target in targets:
                kind = _kind_of(target.get("InputTransformer", {}).get("InputTemplate", ""))
                if kind:
                    yield from (Subscriber(kind, type_, rule["Arn"]) for type_ in types)

    def archives(self) -> list[Archive]:
        """See Replays."""
        found = self._pages("list_archives", "Archives", EventSourceArn=self._bus_arn)
        return sorted(map(_archive, found), key=lambda archive: archive.name)

    def start(self, order: ReplayOrder) -> bool:
        """See Replays."""
        try:
            self._events.start_replay(
                ReplayName=order.name,
                EventSourceArn=self._archive_arn(order.archive),
                EventStartTime=_moment(order.since),
                EventEndTime=_moment(order.until),
                Destination={"Arn": self._bus_arn, "FilterArns": [one.rule for one in order.to]},
            )
        except AwsError as error:
            if code_of(error) == _EXISTS:
                return False
            raise_for("start_replay", error)
        return True

    def look(self, name: str) -> Replay | None:
        """See Replays."""
        try:
            return _replay(self._events.describe_replay(ReplayName=name))
        except AwsError as error:
            if code_of(error) == _MISSING:
                return None
            raise_for("look_at_replay", error)

    def all(self) -> list[Replay]:
        """See Replays. Archives are asked one by one, for a replay does not name its bus where it is listed."""
        arns = [self._archive_arn(one.name) for one in self.archives()]
        found = [_replay(one) for arn in arns for one in self._pages("list_replays", "Replays", EventSourceArn=arn)]
        return sorted(found, key=lambda replay: (-(replay.started_at or 0), replay.name))

    def cancel(self, name: str) -> bool:
        """See Replays."""
        try:
            self._events.cancel_replay(ReplayName=name)
        except AwsError as error:
            if code_of(error) in {_OVER, _MISSING}:
                return False
            raise_for("cancel_replay", error)
        return True

    @cached_property
    def _bus_arn(self) -> str:
        try:
            return str(self._events.describe_event_bus(Name=self._bus)["Arn"])
        except AwsError as error:
            raise_for("look_at_bus", error)

    def _archive_arn(self, name: str) -> str:
        # It differs from its bus's in its last part alone.
        return self._bus_arn.replace(f":event-bus/{self._bus}", f":archive/{name}")

    def _pages(self, operation: str, what: str, **asked: str) -> Iterator[Mapping[str, Any]]:
        while True:
            try:
                page = getattr(self._events, operation)(**asked)
            except AwsError as error:
                raise_for(operation, error)
            yield from page[what]
            if not page.get("NextToken"):
                return
            asked = {**asked, "NextToken": page["NextToken"]}


def _kind_of(template: str) -> str:
    """The kind that a rule's input names; "" if the text is none of ours."""
    kind = template.partition('"kind":"')[2].partition('"')[0]
    return kind if template == template_of(kind) else ""


def _archive(found: Mapping[str, Any]) -> Archive:
    # API Reference, Archive: RetentionDays is 0 where events are kept for ever.
    kept = found.get("RetentionDays") or 0
    return Archive(found["ArchiveName"], timedelta(days=kept) if kept else None)


def _replay(found: Mapping[str, Any]) -> Replay:
    return Replay(
        name=found["ReplayName"],
        state=ReplayState(found["State"].lower()),
        since=_ms(found["EventStartTime"]),
        until=_ms(found["EventEndTime"]),
        **{
            ours: _ms(found[theirs])
            for ours, theirs in (
                ("reached", "EventLastReplayedTime"),
                ("started_at", "ReplayStartTime"),
                ("ended_at", "ReplayEndTime"),
            )
            if found.get(theirs)
        },
        reason=found.get("StateReason") or "",
        rules=tuple(found.get("Destination", {}).get("FilterArns") or ()),
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
