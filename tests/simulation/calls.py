"""Every AWS call: a point at which others may run, and at which something may go wrong.

Stands in the place of `botocore.client.BaseClient._make_api_call`, so that handlers and clients are the shipped
ones; what botocore does below that (repeating a call) is done here as its standard mode does it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from bench.cloud.shapes import check_shape
from tests.simulation.faults import Fault
from tests.simulation.watchers.invariants import Violation
from tests.simulation.watchers.roles import check_right

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

Document = dict[str, Any]

# Milliseconds that a call takes; mostly next to nothing, so that processes meet at every point of each other.
_LATENCIES = (1, 1, 2, 2, 3, 4, 5, 8, 1, 2, 3, 6, 12, 30, 120, 900)
# Tidemill's own limits (`tidemill.aws.clients`): connecting and waiting for an answer.
_CONNECT_MS, _READ_MS, _S3_READ_MS = 2_000, 5_000, 10_000
# A sandbox that is frozen, or a request that is held up on its way: longer than a lease, or than several.
_PAUSES_MS = (2_000, 20_000, 60_000, 110_000, 150_000, 400_000)
_SKEW_MS = 30_000
# botocore/retries/standard.py repeats these, and connections that failed; other errors go up.
_REPEATED = ("ThrottlingException", "InternalServerError", "ProvisionedThroughputExceededException")
# S3 API Reference, "Error responses": its own names, and their HTTP status.
_OF_S3 = {
    "ThrottlingException": ("SlowDown", 503),
    "InternalServerError": ("InternalError", 500),
    "AccessDeniedException": ("AccessDenied", 403),
}


def aws_error(operation: str, code: str, status: int = 400) -> ClientError:
    """An error as botocore raises it."""
    meta: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": f"simulated {code}"}, "ResponseMetadata": meta}, operation)


def _error_of(service: str, operation: str, code: str, status: int = 400) -> ClientError:
    """The error of DynamoDB or SQS, or what S3 calls the same."""
    return aws_error(operation, *(_OF_S3[code] if service == "s3" else (code, status)))


class _Cut:
    """The body of an answer whose connection breaks while it is read: nothing repeats that but the caller."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, _: int | None = None) -> bytes:
        raise self._error

    def close(self) -> None:
        """There is nothing to close."""


def _conflict(operation: str) -> ClientError:
    """Another transaction is at work on one of the items."""
    if operation != "TransactWriteItems":
        return aws_error(operation, "TransactionConflictException")
    error = aws_error(operation, "TransactionCanceledException")
    error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}, {"Code": "None"}]  # type: ignore[typeddict-unknown-key]  # as botocore has it
    return error


class Calls:
    """Carries the calls of all processes of a world to its cloud.

    Attributes:
        made: how many requests left a process. `faults`: how many faults happened at them. `hit`: at whose.
        watchers: are told of every request that AWS carried out.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.made = 0
        self.faults = 0
        self.hit: set[Process] = set()
        self.watchers: list[Callable[[str, str, Document], None]] = []

    def make(self, client: Any, operation: str, arguments: Document) -> Document:
        """One call of a client, with botocore's own repetitions."""
        service = client.meta.service_model.service_name
        attempts = client.meta.config.retries["total_max_attempts"]
        for tried in range(1, attempts + 1):
            try:
                return self._request(service, operation, arguments)
            except (ClientError, EndpointConnectionError, ReadTimeoutError) as error:
                if tried == attempts or not _is_repeated(error):
                    raise
            self._world.scheduler.sleep(50 * tried)
        raise AssertionError("unreachable")

    def _request(self, service: str, operation: str, arguments: Document) -> Document:
        world, scheduler = self._world, self._world.scheduler
        scheduler.check_alive()
        self.made += 1
        check_right(scheduler.running().role, service, operation, arguments)
        if world.checks_shapes:
            _check(service, operation, arguments)
        scheduler.sleep(_LATENCIES[world.rng.getrandbits(4)])
        fault = world.faults.at_call(operation)
        if world.is_denied(service):
            world.tell("denied", operation)
            self.hit.add(scheduler.running().host)
            raise _error_of(service, operation, "AccessDeniedException")
        if world.is_down(service):
            world.tell("down", operation)
            self.hit.add(scheduler.running().host)
            raise _error_of(service, operation, "InternalServerError", 500)
        if fault is None:
            return self._apply(service, operation, arguments)
        return self._faulty(fault, service, operation, arguments)

    def _apply(self, service: str, operation: str, arguments: Document) -> Document:
        world = self._world
        try:
            answer = world.cloud.call(service, operation, arguments)
            world.tell("call", operation, arguments, answer)
            for watcher in self.watchers:
                watcher(service, operation, arguments)
        except NotImplementedError as error:
            raise Violation("call", f"the cloud does not know {error}") from None
        except ClientError as error:
            world.tell("call", operation, arguments, error.response["Error"]["Code"])
            raise
        except Exception as error:
            # A mistake of the simulation's own: the code that called would take it for AWS's, and hide it.
            raise Violation("call", f"{operation}: {type(error).__name__}: {error}") from error
        if service == "sqs":
            world.poke()
        return answer

    def _faulty(self, fault: Fault, service: str, operation: str, arguments: Document) -> Document:
        """One call with `fault`; without it where it can't happen to this operation."""
        world = self._world
        struck = _STRIKES[fault](self, fault, service, operation, arguments)
        if struck is None:
            return self._apply(service, operation, arguments)
        self.faults += 1
        self.hit.add(world.scheduler.running().host)
        world.tell("fault", fault.value, operation)
        return struck()

    # --- one method for each kind; None: it can't happen here --------------------------------------

    def _before(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        def strike() -> Document:
            if fault is Fault.UNSENT:
                self._world.scheduler.sleep(_CONNECT_MS)
                raise EndpointConnectionError(endpoint_url=service)
            if fault is Fault.ERROR:
                raise _error_of(service, operation, "InternalServerError", 500)
            if fault is Fault.CONFLICT:
                raise _conflict(operation)
            raise _error_of(service, operation, "ThrottlingException")

        writes = operation in ("PutItem", "UpdateItem", "TransactWriteItems")
        return strike if fault is not Fault.CONFLICT or writes else None

    def _after(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        def strike() -> Document:
            answer = self._apply(service, operation, arguments)
            if fault is Fault.ERROR_AFTER:
                raise _error_of(service, operation, "InternalServerError", 500)
            if operation == "GetObject" and self._world.rng.random() < 0.5:
                return answer | {"Body": _Cut(self._world.rng.choice(_CUTS))}
            self._world.scheduler.sleep(_S3_READ_MS if service == "s3" else _READ_MS)
            raise ReadTimeoutError(endpoint_url=service)

        return strike

    def _crash(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        def strike() -> Document:
            if fault is Fault.CRASH_AFTER:
                with suppress(ClientError):
                    self._apply(service, operation, arguments)
            self._world.scheduler.crash()
            raise AssertionError("unreachable")

        return strike

    def _pause(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        def strike() -> Document:
            pause = self._world.rng.choice(_PAUSES_MS)
            self._world.scheduler.hold(pause)
            if fault is Fault.PAUSE_BEFORE:
                self._world.scheduler.sleep(pause)
                return self._apply(service, operation, arguments)
            try:
                answer = self._apply(service, operation, arguments)
            except ClientError:
                self._world.scheduler.sleep(pause)
                raise
            self._world.scheduler.sleep(pause)
            return answer

        return strike

    def _jump(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        def strike() -> Document:
            process = self._world.scheduler.current
            assert process is not None
            skew = self._world.rng.randint(-_SKEW_MS, _SKEW_MS)
            for one in (process.host, *process.host.children):
                one.skew_ms = skew
            return self._apply(service, operation, arguments)

        return strike

    def _partly(self, fault: Fault, service: str, operation: str, arguments: Document) -> Any:
        """Some entries of a batch fail, under HTTP 200."""
        codes = _PARTIAL.get(operation)
        if codes is None:
            return None

        def strike() -> Document:
            rng = self._world.rng
            with self._world.cloud.refusing(lambda _, __: rng.choice(codes) if rng.random() < 0.5 else None):
                answer = self._apply(service, operation, arguments)
            if operation == "BatchExecuteStatement" and rng.random() < 0.3:
                # A statement may fail without saying whether it was done: this one was.
                answer["Responses"][0] = {"Error": {"Code": "InternalServerError", "Message": "simulated"}}
            return answer

        return strike


def _check(service: str, operation: str, arguments: Document) -> None:
    try:
        check_shape(service, operation, arguments)
    except ParamValidationError as error:
        raise Violation("call", f"{operation} is called wrongly: {error}") from None


def _is_repeated(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status >= 500 or error.response["Error"]["Code"] in _REPEATED
    return True


# botocore/response.py: what reading a body raises when the connection breaks, or when it ends too soon.
_CUTS = (
    ReadTimeoutError(endpoint_url="s3"),
    ResponseStreamingError(error="simulated"),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
)
_STRIKES: dict[Fault, Any] = {
    Fault.THROTTLE: Calls._before,
    Fault.ERROR: Calls._before,
    Fault.UNSENT: Calls._before,
    Fault.CONFLICT: Calls._before,
    Fault.ERROR_AFTER: Calls._after,
    Fault.ACK_LOST: Calls._after,
    Fault.CRASH_BEFORE: Calls._crash,
    Fault.CRASH_AFTER: Calls._crash,
    Fault.PAUSE_BEFORE: Calls._pause,
    Fault.PAUSE_AFTER: Calls._pause,
    Fault.CLOCK_JUMP: Calls._jump,
    Fault.PARTIAL: Calls._partly,
}
_PARTIAL: dict[str, tuple[str, ...]] = {
    "BatchExecuteStatement": ("ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"),
    "BatchGetItem": ("ThrottlingError",),
    "BatchWriteItem": ("ThrottlingError",),
    "ChangeMessageVisibilityBatch": ("InternalError",),
    "DeleteMessageBatch": ("InternalError",),
    "PutEvents": ("ThrottlingException", "InternalFailure"),
    "SendMessageBatch": ("InternalError", "ServiceUnavailable"),
}
