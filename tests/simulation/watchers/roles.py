"""What the roles of the stack's functions allow, as the synthesised template says, and the check of each call.

`roles.json` holds it, in words of one lane: `queue` and `dlq` are the lane's, `jobs` the table. A test of the
template (tests/infrastructure/test_simulated_roles.py) holds the file to it. Programs outside of the stack bring
rights of their own and are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tests.simulation.watchers.invariants import Violation
from tidemill.domain.lane import FIFO_SUFFIX

DATA: Final = Path(__file__).with_name("roles.json")
ROLES: Final[Mapping[str, Mapping[str, list[str]]]] = json.loads(DATA.read_text())

# What both may do beside it where the program has sagas (`tidemill_cdk.permissions`).
SAGA_REPORT: Final = ("states:SendTaskFailure", "states:SendTaskSuccess")

# The same where it has an outbox: both look into it, and the janitor publishes what is left there.
OUTBOX: Final = (("dynamodb:Query", "jobs"), ("events:PutEvents", "bus"))

_PARTIQL: Final = {
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
    "SELECT": "dynamodb:PartiQLSelect",
}
# Services of which there is one thing.
_ALONE: Final = {"events": ("events", "bus"), "stepfunctions": ("states", "machine")}
# API operations whose right has another name.
_RIGHTS: Final = {"HeadObject": "GetObject"}


def check_right(role: str, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
    """Refuse a call that the role does not allow."""
    function = role.partition("-")[0]
    if function not in ROLES:
        return
    for right, resource in _asked(service, operation, arguments):
        if not _allows(function, right, resource):
            raise Violation("I19", f"{function} may not {right} on {resource}")


@lru_cache(maxsize=4_096)
def _allows(function: str, right: str, resource: str) -> bool:
    if right in SAGA_REPORT or (function != "relay" and (right, resource) in OUTBOX):
        return True
    return any(fnmatchcase(resource, pattern) for pattern in ROLES[function].get(right, ()))


def _asked(service: str, operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    match service, operation:
        case "dynamodb", "BatchExecuteStatement":
            for entry in arguments["Statements"]:
                yield _PARTIQL[entry["Statement"].partition(" ")[0]], "jobs"
        case "dynamodb", "TransactWriteItems":
            for entry in arguments["TransactItems"]:
                yield f"dynamodb:{_in_transaction(next(iter(entry)))}", "jobs"
        case "dynamodb", _:
            index = arguments.get("IndexName")
            yield f"dynamodb:{operation}", f"jobs/index/{index}" if index else "jobs"
        case "sqs", _:
            queue = "dlq" if arguments["QueueUrl"].removesuffix(FIFO_SUFFIX).endswith("-dlq") else "queue"
            yield f"sqs:{operation.removesuffix('Batch')}", queue
        case "events" | "stepfunctions", _:
            prefix, resource = _ALONE[service]
            yield f"{prefix}:{operation}", resource
        case _:
            yield f"{service}:{_RIGHTS.get(operation, operation)}", f"payloads/{arguments['Key']}"


def _in_transaction(action: str) -> str:
    return action if action == "ConditionCheck" else f"{action}Item"
