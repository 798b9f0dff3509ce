"""The two handlers under one load: orders that nobody has to do anything for."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from os import environ
from unittest.mock import patch

from bench.cloud.account import BenchAccount
from bench.environment import environment

# What an order holds beside its id; a message body of some 400 bytes as an envelope.
ITEM = "a pair of rubber boots, size 42"


class _Nowhere(io.TextIOBase):
    """Takes what handlers print, as far as encoding it. Never closed, for a Logger keeps its first stream."""

    def write(self, text: str) -> int:
        return len(text.encode())


_NOWHERE = _Nowhere()


@contextmanager
def lambda_environment(account: BenchAccount, *, list_index: bool = False) -> Iterator[None]:
    """Lambda's environment around `account`, in which a handler may be made and called."""
    with (
        patch.dict(environ, environment(lane=account.lane.name, list_index=list_index)),
        account.wire.connected(),
        redirect_stdout(_NOWHERE),
    ):
        yield


def submit_ours(count: int) -> None:
    """Submit orders in bulk through the shipped client."""
    # The package is imported inside the environment, as Lambda does it.
    from bench.jobs import Order, registry
    from tidemill.entrypoints.bootstrap import Program
    from tidemill.service.submission import Submission

    orders = [Submission(Order(order_id=str(uuid.uuid4()), item=ITEM)) for _ in range(count)]
    for result in Program.from_env(registry).client.submit_many(orders):
        if isinstance(result, Exception):
            raise result


def submit_textbook(account: BenchAccount, count: int) -> None:
    """Put orders into the textbook handler's queue."""
    for _ in range(count):
        account.textbook_queue.put(json.dumps({"order_id": str(uuid.uuid4()), "item": ITEM}), 0, None)
