"""What two programs agree on: a pydantic model that travels as canonical JSON."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tidemill.domain import limits
from tidemill.domain.errors import InputError, InvalidArgsError, Violation
from tidemill.domain.strict_json import check_depth, dump_canonical


class Contract(BaseModel):
    """Base of the models that travel: a job's arguments, an event's data.

    They are strict (no coercion of `"5"` to 5), frozen, and refuse unknown fields where they are made. Who reads them
    later ignores unknown fields, so an optional field can be added in a rolling deploy.

    Class attributes:
        contract_part: where it stands in what travels; errors name their fields `<contract_part>.<path>`.
    """

    # Constants: pydantic would else write NaN in a field of type Any as null, and the reader would get another value.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants")

    contract_part: ClassVar[str] = "data"

    @classmethod
    def from_input(cls, document: object) -> Self:
        """Build from a parsed JSON document of whoever makes it.

        Raises:
            InvalidArgsError: unknown, missing or ill-typed fields, each by its path; or a validator of the model
                raised something else than ValueError.
        """
        try:
            return cls._parse(dump_canonical(document, cls.contract_part), {})
        except InputError:
            raise
        except Exception as error:
            # Its text may quote what is secret.
            problem = f"can't be checked: a validator of {cls.__name__} raised {type(error).__name__}"
            raise InvalidArgsError(Violation(cls.contract_part, problem, "validator")) from error

    @classmethod
    def from_message(cls, canonical: bytes) -> Self:
        """Build from bytes that travelled, ignoring fields that this code does not know yet.

        Raises:
            InvalidArgsError: the bytes no longer fit the model.
        """
        return cls._parse(canonical, {"extra": "ignore"})

    @classmethod
    def _parse(cls, canonical: bytes, options: dict[str, Any]) -> Self:
        try:
            return cls.model_validate_json(canonical, **options)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            raise InvalidArgsError(*(_violation(cls.contract_part, one) for one in found)) from None

    def canonical(self) -> bytes:
        """The canonical JSON bytes: sorted keys, no white space, UTF-8.

        Raises:
            InputError: they exceed 5 MiB (5,242,880 bytes) or 31 levels, or hold what JSON can't carry.
        """
        part = self.contract_part
        try:
            document = self.model_dump(mode="json", by_alias=True)
        except Exception as error:  # noqa: BLE001 - serialising runs the model's own code
            raise InvalidArgsError(Violation(part, f"can't be written as JSON: {error}", "json")) from None
        check_depth(document, part, limits.MAX_ARGS_DEPTH)
        encoded = dump_canonical(document, part)
        if len(encoded) > limits.MAX_PAYLOAD_BYTES:
            raise InvalidArgsError(
                Violation(
                    part,
                    f"are {len(encoded)} bytes, the limit is {limits.MAX_PAYLOAD_BYTES}. "
                    "Fix: store the data in S3 and pass its key",
                    "too_large",
                )
            )
        return encoded


def fingerprint_of(canonical: bytes) -> str:
    """128 bits of SHA-256 over canonical bytes, in hex: equal content, equal fingerprint."""
    return hashlib.sha256(canonical).hexdigest()[:32]


def _violation(part: str, error: Any) -> Violation:
    path = ".".join(str(step) for step in (part, *error["loc"]))
    return Violation(path, error["msg"], error["type"])
