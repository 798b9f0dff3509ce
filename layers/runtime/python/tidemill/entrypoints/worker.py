"""The worker's Lambda handler. This module is light: all that a worker is made of is imported behind its door."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tidemill.domain.registry import JobRegistry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tidemill.domain.ports.webhooks import WebhookSender


# The process's exit code, for the log line that Lambda writes of it.
_SPENT: Final = 75
end_process = os._exit


def worker_handler(
    registry: JobRegistry, *, sender: WebhookSender | None = None
) -> Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]:
    """The Lambda handler of a lane's worker; the lane comes from the env contract.

    Arguments:
        sender: sends webhooks. Left out, as in every program that is deployed, they go to public addresses alone.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    with _collector_at_rest():
        return _made(registry, sender)


def _made(
    registry: JobRegistry, sender: WebhookSender | None
) -> Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]:
    # Imported here, with the collector at rest: they are most of what a cold start imports.
    from tidemill.entrypoints.batch import JobBatchProcessor
    from tidemill.entrypoints.bootstrap import Program
    from tidemill.entrypoints.crew import ThreadCrew
    from tidemill.entrypoints.observability import PowertoolsTelemetry

    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack, program.settings.lane)
    lane = registry.lanes[program.settings.lane]
    processor = JobBatchProcessor(program.executor(telemetry, sender), ThreadCrew(lane.concurrency, program.clock))

    def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        telemetry.correlate(context.aws_request_id)
        try:
            with _undisturbed():
                return processor.run(event, context)
        finally:
            telemetry.flush()
            if processor.is_spent:
                # A thread can't be killed, a process can: a job whose time is over must not run beside its own next
                # attempt. All messages are settled, so nothing waits for the answer that Lambda does not get.
                end_process(_SPENT)

    return handler


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A job's `_thread.interrupt_main()` would raise KeyboardInterrupt here, in the thread that records its batch."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Nothing that a cold start makes is garbage; looking for it all the same is a tenth of the cold start."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # It stays as long as the container, so the collector need not look at it later either. A container makes
        # one worker; a process that makes more (a test) must be able to lose them again.
        if not gc.get_freeze_count():
            gc.freeze()
        if was_enabled:
            gc.enable()
