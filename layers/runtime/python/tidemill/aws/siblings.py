"""The items beside a job's STATE: envelope, result and evidence.

Each is written only when it is needed, and no update of the state pays for its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tidemill.aws.items import Attribute, Item, key_of
from tidemill.domain.envelope import Envelope, decode, is_envelope, parse_body
from tidemill.domain.errors import IntegrityError, MalformedMessageError
from tidemill.domain.failure import Failure
from tidemill.domain.job import Job, JobRef
from tidemill.domain.memory import Wish
from tidemill.domain.payload import Stored
from tidemill.domain.ports import AttemptFailure

ERROR_PREFIX: Final = "ERROR#"
MEMORY_KEY: Final = "MEMORY"


def args_key(ref: JobRef, fingerprint: str) -> Item:
    """Where a job's envelope is. Other arguments under the same key of the caller get their own item."""
    return key_of(ref, f"ARGS#{fingerprint}")


def args_item(envelope: Envelope, ttl_s: int) -> Item:
    """The envelope as the body it is sent with."""
    return {**args_key(envelope.ref, envelope.fingerprint), "body": {"S": envelope.encode()}, "ttl": {"N": str(ttl_s)}}


def envelope_of(item: Mapping[str, Attribute]) -> Envelope:
    """The envelope in an ARGS item.

    Raises:
        IntegrityError: it is not what its writer stored.
    """
    try:
        document = parse_body(item["body"]["S"])
        if is_envelope(document):
            return decode(document)
        problem = "it is no envelope"
    except MalformedMessageError as error:
        problem = str(error)
    raise IntegrityError(f"the stored envelope {item['pk']['S']} {item['sk']['S']} is damaged: {problem}")


def result_key(job: Job) -> Item:
    """Where a succeeded job's result is, if it has an item of its own.

    By its fence: a zombie of the same generation writes its result elsewhere, before its conclusion is refused.
    """
    return key_of(job.ref, f"RESULT#{job.fence}")


def result_item(job: Job, result: str | Stored) -> Item:
    """A result as JSON text, or the receipt of a large one."""
    value: Item = {"stored": stored_value(result)} if isinstance(result, Stored) else {"result": {"S": result}}
    return {**result_key(job), **value, "ttl": {"N": str(job.ttl_s)}}


def result_of(item: Mapping[str, Attribute]) -> str | Stored:
    """What a RESULT item holds."""
    return stored_of(item["stored"]) if "stored" in item else item["result"]["S"]


def stored_value(stored: Stored) -> Attribute:
    """A receipt. Without names, which every update of its item would pay for."""
    return {"L": [{"S": stored.name}, {"S": stored.sha256}, {"N": str(stored.size)}]}


def stored_of(value: Attribute) -> Stored:
    """The receipt in an attribute."""
    name, sha256, size = value["L"]
    return Stored(name["S"], sha256["S"], int(size["N"]))


def error_item(ref: JobRef, failed: AttemptFailure, ttl_s: int) -> Item:
    """The evidence of one attempt.

    A deferral gives its attempt back, so that the next evidence takes the place of this: a job that is deferred
    for ever leaves one item.
    """
    failure = failed.failure
    return {
        **key_of(ref, f"{ERROR_PREFIX}{failed.generation}#{failed.attempt:03d}"),
        "at": {"N": str(failed.at)},
        "type": {"S": failure.type},
        "message": {"S": failure.message},
        "trace": {"S": failure.trace},
        "fingerprint": {"S": failure.fingerprint},
        "ttl": {"N": str(ttl_s)},
        **({"code": {"S": failed.code}} if failed.code else {}),
    }


def failure_of(item: Mapping[str, Attribute]) -> AttemptFailure:
    """The evidence in an ERROR item."""
    _, generation, attempt = item["sk"]["S"].split("#")
    return AttemptFailure(
        generation=int(generation),
        attempt=int(attempt),
        at=int(item["at"]["N"]),
        failure=Failure(item["type"]["S"], item["message"]["S"], item["trace"]["S"], item["fingerprint"]["S"]),
        code=item["code"]["S"] if "code" in item else "",
    )


def wishing(ref: JobRef, wish: Wish, ttl_s: int) -> dict[str, Any]:
    """The arguments of an UpdateItem that notes what a job is to forget, but for the table.

    Whoever has opened the memory keeps it. An item that is not there yet is kept for `ttl_s` (Unix seconds).
    """
    value = {"g": {"N": str(wish.generation)}, "f": {"S": wish.forget}}
    return {
        "Key": key_of(ref, MEMORY_KEY),
        "UpdateExpression": "SET #wish = :wish, #ttl = if_not_exists(#ttl, :ttl)",
        "ExpressionAttributeNames": {"#wish": "wish", "#ttl": "ttl"},
        "ExpressionAttributeValues": {":wish": {"M": value}, ":ttl": {"N": str(ttl_s)}},
    }


def wish_of(value: Mapping[str, Any]) -> Wish:
    """The wish in an attribute."""
    return Wish(int(value["M"]["g"]["N"]), value["M"]["f"]["S"])
