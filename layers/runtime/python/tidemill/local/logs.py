"""What the functions printed.

MiniStack writes an invocation's output to the function's log group once the invocation ends, a log stream for each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

# One invocation's lines carry one time, and may be written while we read: look back this far, and skip what was seen.
_LOOK_BACK_MS: Final = 2_000
_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, order=True)
class LogLine:
    """One line of one function."""

    timestamp_ms: int
    function: str
    stream: str
    message: str


class LogReader:
    """Reads the functions' log groups in a local cloud.

    Args:
        functions: a boto3 client for Lambda.
        logs: a boto3 client for CloudWatch Logs.
        function: keep the functions whose name contains this, upper or lower case alike.
    """

    def __init__(self, functions: Any, logs: Any, function: str = "") -> None:
        self._functions = functions
        self._logs = logs
        self._function = function.lower()

    def read(self, since_ms: int = 0) -> list[LogLine]:
        """All lines from that time on, oldest first."""
        lines = (line for name, group in self._groups() for line in self._lines(name, group, since_ms))
        return sorted(lines, key=lambda line: (line.timestamp_ms, line.function, line.stream))

    def follow(self, since_ms: int, pause: Callable[[float], None] = time.sleep) -> Iterator[LogLine]:
        """Lines as they come, without end."""
        seen: dict[LogLine, int] = {}
        while True:
            counted: dict[LogLine, int] = {}
            for line in self.read(since_ms):
                counted[line] = counted.get(line, 0) + 1
                if counted[line] > seen.get(line, 0):
                    yield line
            seen = counted
            newest = max((line.timestamp_ms for line in seen), default=since_ms)
            since_ms = max(since_ms, newest - _LOOK_BACK_MS)
            pause(_PAUSE_SECONDS)

    def _groups(self) -> Iterator[tuple[str, str]]:
        """The functions and their log groups, those that printed something."""
        written = {group["logGroupName"] for group in _pages(self._logs, "describe_log_groups", "logGroups")}
        for function in _pages(self._functions, "list_functions", "Functions"):
            name: str = function["FunctionName"]
            group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
            if group in written and self._function in name.lower():
                yield name, group

    def _lines(self, name: str, group: str, since_ms: int) -> Iterator[LogLine]:
        for event in _pages(self._logs, "filter_log_events", "events", logGroupName=group, startTime=since_ms):
            yield LogLine(event["timestamp"], name, event["logStreamName"], event["message"])


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]
