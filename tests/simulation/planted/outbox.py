"""Bugs in what is committed and sent afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws import store
from tidemill.aws.bus import EventBridgeBus
from tidemill.aws.outbox_items import outbox_item
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.outbox import OutboundJob
from tidemill.service import executor
from tidemill.service.leftovers import Leftovers
from tidemill.service.relay import Relay


def _removed_first(relay: Any) -> Any:
    def planted(self: Any, outbounds: Any) -> Any:
        self.outbox.remove(outbounds)
        return relay(self, outbounds)

    return planted


def _failed_entries_ignored(put: Any) -> Any:
    def planted(self: Any, entries: Any) -> Any:
        errors = put(self, entries)
        return errors if all(errors) else [None] * len(errors)

    return planted


def _rows_before_the_end(ended: Any) -> Any:
    """What a job tells is written first, the end of the job after it."""

    def planted(self: Any, done: Any) -> Any:
        if done.outbounds:
            self._table.put("conclude", [outbox_item(outbound) for outbound in done.outbounds])
        return store._written(store.moving(done.verb, done.before, done.after), self._beside(done.notices), ())

    return planted


def _rows_after_the_end(conclude: Any) -> Any:
    """The end of the job is written first, what it tells after it."""

    def planted(self: Any, conclusions: Any) -> Any:
        bare = [replace(one, outbounds=()) for one in conclusions]
        answers = conclude(self, bare)
        told = [outbound for one in conclusions for outbound in one.outbounds]
        if told:
            self._table.put("conclude", [outbox_item(outbound) for outbound in told])
        return answers

    return planted


def _one_row_a_job(_: Any) -> Any:
    return property(lambda self: f"job#{self.ref.tenant}#{self.ref.id}#one")


PLANTED: Final = (
    Planted(
        "removed before it is sent",
        "I10",
        "outbox",
        "the relay deletes a row, and sends it then",
        ((Relay, "relay", _removed_first),),
    ),
    Planted(
        "failed entries ignored",
        "I10",
        "outbox",
        "PutEvents.FailedEntryCount is not looked at",
        ((EventBridgeBus, "_put", _failed_entries_ignored),),
    ),
    Planted(
        "accepted in any case",
        "I10",
        "outbox",
        "the relay takes a job for sent whatever its submit came to",
        ((Relay, "_is_accepted", always(True)),),
    ),
    Planted(
        "told before the end",
        "I10",
        "outbox",
        "what a job tells is written first, its end after it",
        ((DynamoJobStore, "_ended", _rows_before_the_end),),
    ),
    Planted(
        "told after the end",
        "I10",
        "outbox",
        "the end of a job is written first, what it tells after it",
        ((DynamoJobStore, "conclude", _rows_after_the_end),),
    ),
    Planted(
        "told by every attempt",
        "I10",
        "outbox",
        "an attempt that fails tells what it would have told",
        ((executor, "Complete", lambda _: object),),
    ),
    Planted(
        "only the stream",
        "I10",
        "outbox",
        "nobody looks for rows that the stream has not brought",
        ((Leftovers, "sweep", always(0)),),
    ),
    Planted(
        "one row for each job",
        "I10",
        "outbox",
        "two transactions with one key write one row",
        ((OutboundJob, "name", _one_row_a_job),),
    ),
)
