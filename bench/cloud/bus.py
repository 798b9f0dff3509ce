"""EventBridge's PutEvents on buses in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.cloud.choices import Choices
from bench.cloud.refused import Refused

Document = dict[str, Any]

# API Reference, PutEvents: up to ten entries; User Guide, "Calculating PutEvents event entry size": below 256 KB in
# all, of which a time takes 14 bytes and texts their UTF-8.
MAX_ENTRIES = 10
MAX_BYTES = 256 * 1_024 - 1
_TIME_BYTES = 14
_TEXTS = ("Source", "DetailType", "Detail")


class EventBridge:
    """The operations by their names; each takes and answers what botocore takes and answers.

    Attributes:
        published: what each bus took, in the order in which it did.
    """

    def __init__(self, buses: Sequence[str], new_id: Callable[[], str], choices: Choices) -> None:
        self.published: dict[str, list[Document]] = {bus: [] for bus in buses}
        self._new_id = new_id
        self._choices = choices
        self.operations: Mapping[str, Callable[[Document], Document]] = {"PutEvents": self._put_events}

    def _put_events(self, asked: Document) -> Document:
        entries = asked["Entries"]
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise Refused("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy")
        if sum(_size(entry) for entry in entries) > MAX_BYTES:
            raise Refused("ValidationException", "Total size of the entries in the request is over the limit.")
        answers = [self._put(number, entry) for number, entry in enumerate(entries)]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _put(self, number: int, entry: Document) -> Document:
        """What becomes of one entry, under HTTP 200."""
        code = self._choices.refusal("PutEvents", number)
        if code is not None:
            return {"ErrorCode": code, "ErrorMessage": code}
        try:
            json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        if entry["EventBusName"] in self.published:
            # An event for a bus that is not there is accepted, and goes nowhere (API Reference, PutEvents).
            self.published[entry["EventBusName"]].append(dict(entry))
        return {"EventId": self._new_id()}


def _size(entry: Document) -> int:
    return _TIME_BYTES * ("Time" in entry) + sum(len(entry.get(part, "").encode()) for part in _TEXTS)
