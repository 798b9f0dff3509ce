"""One Logger and one Metrics a process; the engine's telemetry on top of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from tidemill.domain.asking import asked

NAMESPACE: Final = "Tidemill"
_RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class PowertoolsTelemetry:
    """Structured log lines and EMF metrics, one flush an invocation. What can't be written is lost, and raises nothing.

    Arguments:
        stack: the stack's name: the metrics' dimension `service`, and on every log line.
        lane: the dimension `lane`; empty for functions that serve all lanes.
    """

    def __init__(self, stack: str, lane: str = "") -> None:
        # The line that logs is always one of this module; it says nothing.
        self.logger = Logger(service=stack, location=None)
        self._metrics = EphemeralMetrics(namespace=NAMESPACE, service=stack)
        self._lane = lane
        self._counts: Counter[str] = Counter()

    def count(self, name: str, value: int = 1) -> None:
        """See Telemetry."""
        # Added up here: Powertools writes a line of its own after a hundred values, without the lane.
        self._counts[name] += value

    def note(self, event: str, **fields: object) -> None:
        """See Telemetry."""
        self._say(self.logger.info, event, fields)

    def alert(self, event: str, **fields: object) -> None:
        """See Telemetry."""
        self._say(self.logger.warning, event, fields)

    def correlate(self, request_id: str) -> None:
        """Put the invocation's id on every log line from here on."""
        asked(partial(self.logger.set_correlation_id, request_id), None)

    def flush(self) -> None:
        """Write the metrics counted since the last flush as one EMF line."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        asked(partial(self._write, counts), None)

    def _write(self, counts: Counter[str]) -> None:
        if self._lane:
            self._metrics.add_dimension(name="lane", value=self._lane)
        for name, value in counts.items():
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        self._metrics.flush_metrics()

    def _say(self, log: Callable[..., None], event: str, fields: dict[str, object]) -> None:
        # A job shares logging and the streams with the engine: closed or filtered by a job, they cost a line, no batch.
        asked(partial(log, event, extra=self._extra(fields)), None)

    def _extra(self, fields: dict[str, object]) -> dict[str, object]:
        # A field that logging keeps for itself (`created`, `name`, `args`) would raise instead of being logged.
        safe = {f"{name}_" if name in _RESERVED else name: value for name, value in fields.items()}
        return {**safe, "lane": self._lane} if self._lane else safe
