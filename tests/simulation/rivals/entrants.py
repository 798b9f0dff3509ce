"""The rivals: whose handler runs, what is deployed beside it, and how its callers submit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.simulation.cloud import queue_url
from tests.simulation.functions import Functions, Handler
from tests.simulation.jobs.behaviour import LANE
from tests.simulation.rivals import shipped
from tests.simulation.rivals.orders import Order
from tests.simulation.submitters import TRIES
from tidemill.domain.errors import TidemillError, UnavailableError

if TYPE_CHECKING:
    from tests.simulation.rivals.match import Match

IDEMPOTENCY_TABLE, JOBS_TABLE = "Idempotency", "Orders"
_WAITS_MS = (500, 2_000, 30_000)
# What boto3 does unless it is told otherwise: up to 10 requests to DynamoDB for one call, 5 to others.
_REQUESTS = {"dynamodb": 10, "sqs": 5}

Submit = Callable[["Match", Order], bool]


@dataclass(frozen=True)
class Rival:
    """One of those that are compared.

    Arguments:
        name: in the data file. `title`: in tables.
        handler: the file with its handler; empty for the shipped one.
        key: what an idempotency decorator takes for the identity of a message, as JMESPath.
        has_rows: whether it keeps a state of each job.
        submit: one caller with one order; answers whether it was accepted.
    """

    name: str
    title: str
    submit: Submit
    handler: str = ""
    key: str = "messageId"
    has_rows: bool = True

    @cached_property
    def deployment(self) -> Functions:
        """Its functions, started once and reused by many schedules."""
        return _Containers(self) if self.handler else Functions(shipped.registry)


class _Containers(Functions):
    """Containers of a handler that is not ours: the lane's queues and settings are the same."""

    def __init__(self, rival: Rival) -> None:
        super().__init__(shipped.registry)
        self._rival = rival

    def take(self, function: str, lane: str = "") -> Any:
        return super().take(self._rival.name, lane)

    def _start(self, function: str, lane: str) -> Handler:
        module = ModuleType(f"rivals_{self._rival.handler}")
        environ = {
            "IDEMPOTENCY_TABLE": IDEMPOTENCY_TABLE,
            "JOBS_TABLE": JOBS_TABLE,
            "IDEMPOTENCY_KEY": self._rival.key,
        }
        with patch.dict(os.environ, environ), _kept_clients():
            exec(_code(self._rival.handler), module.__dict__)  # noqa: S102 - each container has a module of its own
        return module.lambda_handler


@cache
def client(service: str, *_: Any, **__: Any) -> Any:
    """A client that is made once: it keeps nothing of one schedule, and making one takes longer than a schedule."""
    retries = {"mode": "standard", "total_max_attempts": _REQUESTS[service]}
    return boto3.session.Session().client(service, config=Config(retries=retries))


@contextmanager
def _kept_clients() -> Iterator[None]:
    made = client("dynamodb")
    with patch.object(boto3.session.Session, "client", lambda *_, **__: made):
        yield


@cache
def _code(name: str) -> Any:
    path = Path(__file__).with_name(f"{name}.py")
    return compile(path.read_text(), str(path), "exec")


def _send(match: Match, order: Order) -> bool:
    """Send the message, and again until there is an answer."""
    body = json.dumps({"order_id": order.order_id, "number": order.number})
    for _ in range(TRIES):
        try:
            client("sqs").send_message(QueueUrl=queue_url(LANE), MessageBody=body)
        except (BotoCoreError, ClientError):
            match.scheduler.sleep(match.rng.choice(_WAITS_MS))
            continue
        return True
    return False


def _submit(match: Match, order: Order) -> bool:
    """Submit the job under the order's id, and again until there is an answer."""
    args = shipped.Fulfil(order_id=order.order_id, number=order.number)
    for _ in range(TRIES):
        try:
            match.deployment.program.client.submit(args, key=order.order_id)
        except (UnavailableError, BotoCoreError, ClientError):
            match.scheduler.sleep(match.rng.choice(_WAITS_MS))
            continue
        except TidemillError:
            return False
        return True
    return False


RIVALS = (
    Rival("tidemill", "Tidemill", _submit),
    Rival("plain", "plain handler", _send, "plain", has_rows=False),
    Rival("textbook", "Powertools, `messageId`", _send, "textbook"),
    Rival("textbook_payload", "Powertools, key in the body", _send, "textbook", "powertools_json(body).order_id"),
)
