"""The stack's Lambda functions: the shipped handler files, in containers that are reused as Lambda reuses them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.simulation import stage
from tests.simulation.cloud import settings
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.settings import PREFIX

Handler = Callable[[dict[str, Any], Any], Any]

_HANDLERS = Path(__file__).parents[2] / "functions"


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id: str
    deadline_ms: int
    function_name: str = "sim"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:111122223333:function:sim"
    function_version: str = "$LATEST"

    def get_remaining_time_in_millis(self) -> int:
        """Counted by Lambda, which does not ask the sandbox's clock."""
        return max(self.deadline_ms - stage.playing().scheduler.now_ms, 0)


@dataclass(slots=True)
class Container:
    """A started function: it serves one event at a time, and is gone when its process dies."""

    function: str
    handler: Handler


class Functions:
    """Starts containers of the functions of one deployment, and keeps those that are idle.

    Arguments:
        registry: the jobs, as one version of the code declares them.
        code_version: what that version is called.
    """

    def __init__(self, registry: JobRegistry, code_version: str = "") -> None:
        self.registry = registry
        self._code_version = code_version
        self._idle: dict[str, list[Container]] = {}

    def take(self, function: str, lane: str = "") -> Container:
        """An idle container of `worker` or `janitor`, or a new one."""
        name = f"{function}-{lane}" if lane else function
        idle = self._idle.setdefault(name, [])
        return idle.pop() if idle else Container(name, self._start(function, lane))

    def put_back(self, container: Container) -> None:
        """The container ended its invocation and waits for another one, of this schedule or the next."""
        self._idle[container.function].append(container)

    @cached_property
    def program(self) -> Program:
        """What a program outside of Lambda works with, such as a client's or an operator's."""
        return Program.from_env(self.registry, self._environ(""))

    def _environ(self, lane: str) -> dict[str, str]:
        return settings(self.registry, lane, self._code_version).to_env()

    def _start(self, function: str, lane: str) -> Handler:
        jobs = ModuleType("jobs")
        jobs.registry = self.registry  # type: ignore[attr-defined]
        names: dict[str, Any] = {"__name__": f"functions.{function}.handler"}
        sys.modules["jobs"] = jobs
        try:
            # Another world's stack may have what this one has not.
            for name in [name for name in os.environ if name.startswith(PREFIX)]:
                del os.environ[name]
            os.environ.update(self._environ(lane))
            exec(_code(function), names)  # noqa: S102 - the shipped handler file
        finally:
            del sys.modules["jobs"]
        return names["handler"]


@cache
def _code(function: str) -> Any:
    path = _HANDLERS / function / "handler.py"
    return compile(path.read_text(), str(path), "exec")
