"""What a job or a step returned, as JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from inspect import isawaitable, isroutine, unwrap
from typing import Any, get_type_hints

from pydantic import BaseModel, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from tidemill.domain import limits
from tidemill.domain.errors import InputError, IntegrityError
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


def decode_result(text: str | None, function: Callable[..., Any] | None) -> Any:
    """What `encode_result` wrote of what `function` returned: as its return annotation says, or as plain JSON.

    It is plain JSON where there is no annotation, or none that pydantic reads.

    Raises:
        IntegrityError: it is nothing that the annotation allows.
    """
    adapter = None if function is None else _adapter_of(function)
    if adapter is None:
        return None if text is None else json.loads(text)
    try:
        return adapter.validate_json("null" if text is None else text)
    except ValidationError as error:
        raise IntegrityError(
            f"the result is not what {getattr(function, '__name__', 'the job')} says that it returns "
            f"({error.error_count()} differences). Fix: read it as JSON with client.result, or deploy the code that "
            "returned it"
        ) from error


def _adapter_of(function: Callable[..., Any]) -> TypeAdapter[Any] | None:
    whole = unwrap(function)
    try:
        hints = get_type_hints(whole if isroutine(whole) else type(whole).__call__, include_extras=True)
        return TypeAdapter(hints["return"]) if "return" in hints else None
    except (NameError, TypeError, AttributeError, PydanticSchemaGenerationError, PydanticUserError):
        # An annotation for type checkers alone, or of a type that only the job itself knows.
        return None


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
