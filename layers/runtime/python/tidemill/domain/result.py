"""What a job or a step returned, as JSON text."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.strict_json import dump_canonical


def encode_result(value: object, most: int = limits.MAX_PAYLOAD_BYTES) -> str | None:
    """A return value as canonical JSON text of at most `most` bytes; None stays None.

    Raises:
        InputError: it can't be written as JSON, or is too large.
    """
    if value is None:
        return None
    try:
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else to_jsonable_python(value)
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
