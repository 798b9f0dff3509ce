"""What a job or a step returned, as JSON text."""

from __future__ import annotations

from collections.abc import Coroutine
from inspect import isawaitable

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.strict_json import dump_canonical


def encode_result(
    value: object,
    most: int = limits.MAX_PAYLOAD_BYTES,
    *,
    by_alias: bool | None = None,
    round_trip: bool = False,
) -> str | None:
    """A return value as canonical JSON text of at most `most` bytes; None stays None.

    Arguments:
        by_alias: whether a model's fields have their aliases; None leaves it to the model.
        round_trip: leave out what a model computes from its fields, and so does not accept.

    Raises:
        InputError: it can't be written as JSON, or is too large.
    """
    if value is None:
        return None
    _check_awaited(value)
    try:
        if isinstance(value, BaseModel):
            plain = value.model_dump(mode="json", by_alias=by_alias, round_trip=round_trip)
        else:
            plain = to_jsonable_python(value, by_alias=by_alias is not False, round_trip=round_trip)
    except Exception as error:  # noqa: BLE001 - serialising runs the job's own code: serializers, generators
        raise InputError.at("result", f"can't be written as JSON: {error}", "json") from None
    encoded = dump_canonical(plain, "result")
    if len(encoded) > most:
        raise InputError.at(
            "result",
            f"is {len(encoded)} bytes, the limit is {most}. Fix: store it in S3, return its key",
            "too_large",
        )
    return encoded.decode("utf-8")


def _check_awaited(value: object) -> None:
    if not isawaitable(value):
        return
    if isinstance(value, Coroutine):
        # None of it has run, and nobody else will await it.
        value.close()
    raise InputError.at(
        "result",
        f"is a {type(value).__name__} that nothing awaited. Fix: name the `async def` function itself, "
        "not a lambda or a wrapper that calls it",
        "awaitable",
    )
