"""What two programs agree on: a pydantic model that travels as canonical JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError, InputError, InvalidArgsError, Violation
from tidemill.domain.strict_json import check_depth, dump_canonical
from tidemill.domain.upcasting import Upcaster, chain_of, refuse_versions
from tidemill.domain.version_errors import NewerVersionError, UpcastError

# What no field of a contract may be called.
RESERVED: Final = ("contract_part", "contract_version", "contract_upcasters")


class Contract(BaseModel):
    """Base of the models that travel: a job's arguments, an event's data.

    They are strict (no coercion of `"5"` to 5), frozen, and refuse unknown fields where they are made. Who reads them
    later ignores unknown fields, so an optional field can be added in a rolling deploy.

    Their version grows when a change would let new code misread what old code wrote. What travels carries the version
    of its bytes, none being 1, and is read through the model's upcasters, one for each step.

    Class attributes:
        contract_part: where it stands in what travels; errors name their fields `<contract_part>.<path>`.
        contract_version: which version this code writes, 1 to 9,999.
        contract_upcasters: how the earlier ones become it; see `upcasts`.
    """

    # Constants: pydantic would else write NaN in a field of type Any as null, and the reader would get another value.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants")

    contract_part: ClassVar[str] = "data"
    contract_version: ClassVar[int] = 1
    contract_upcasters: ClassVar[tuple[Upcaster, ...]] = ()

    @classmethod
    def contract_versioned(cls, version: int | None, *, is_named: bool) -> None:
        """Take the version and the upcasters of a class statement; only a class that is named has them.

        Raises:
            DefinitionError: they don't fit each other.
        """
        if not is_named:
            refuse_versions(cls.__name__, version, vars(cls))
            return
        cls.contract_upcasters = chain_of(cls.__name__, 1 if version is None else version, vars(cls))
        cls.contract_version = len(cls.contract_upcasters) + 1

    @classmethod
    def upcast(cls, canonical: bytes, version: int) -> bytes:
        """Canonical bytes of `version`, in this code's version. Nothing is checked against the model.

        Raises:
            NewerVersionError: this code does not know that version yet. There is no way back from it.
            UpcastError: an upcaster raised, or answered no JSON object.
        """
        if version == cls.contract_version:
            return canonical
        if version > cls.contract_version:
            raise NewerVersionError.of(cls.__name__, version, cls.contract_version)
        document, step = json.loads(canonical), version
        try:
            for step in range(version, cls.contract_version):
                document = cls.contract_upcasters[step - 1](document)
                if not isinstance(document, dict):
                    raise TypeError("no object")  # noqa: TRY301 - as if it had raised itself
            return dump_canonical(document, cls.contract_part)
        except Exception as error:
            # Its text may quote what is secret.
            problem = (
                f"are of version {step} and can't be made version {step + 1}: the upcaster of {cls.__name__} raised "
                f"{type(error).__name__}. Fix: mend @upcasts({step}); if they are of another version, say which"
            )
            raise UpcastError(Violation(cls.contract_part, problem, "upcast")) from error

    @classmethod
    def from_input(cls, document: object, version: int | None = None) -> Self:
        """Build from a parsed JSON document of whoever makes it.

        Arguments:
            version: which version the document is of, if it may not be this code's.

        Raises:
            InvalidArgsError: unknown, missing or ill-typed fields, each by its path; or a validator of the model
                raised something else than ValueError.
            NewerVersionError, UpcastError: see `upcast`.
        """
        try:
            canonical = dump_canonical(document, cls.contract_part)
            return cls._parse(canonical if version is None else cls.upcast(canonical, version), {})
        except InputError:
            raise
        except Exception as error:
            # Its text may quote what is secret.
            problem = f"can't be checked: a validator of {cls.__name__} raised {type(error).__name__}"
            raise InvalidArgsError(Violation(cls.contract_part, problem, "validator")) from error

    @classmethod
    def from_message(cls, canonical: bytes, version: int) -> Self:
        """Build from bytes of `version` that travelled, ignoring fields that this code does not know yet.

        Raises:
            InvalidArgsError: the bytes no longer fit the model.
            NewerVersionError, UpcastError: see `upcast`.
        """
        return cls._parse(cls.upcast(canonical, version), {"extra": "ignore"})

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


def check_reserved(name: str, base: str, word: str, own: Iterable[str], fields: Collection[str]) -> None:
    """Refuse a field of class `name` that hides one of `base` itself, which a class statement gives by `word`.

    Raises:
        DefinitionError: one of `fields` is one of `own` or of every contract's.
    """
    for field in (*own, *RESERVED):
        if field in fields:
            raise DefinitionError(
                f"{name}.{field} is a name that {base} needs itself. Fix: rename the field; "
                f"a {word} is given as class {name}({base}, {word}='...')"
            )


def fingerprint_of(canonical: bytes) -> str:
    """128 bits of SHA-256 over canonical bytes, in hex: equal content, equal fingerprint."""
    return hashlib.sha256(canonical).hexdigest()[:32]


def _violation(part: str, error: Any) -> Violation:
    path = ".".join(str(step) for step in (part, *error["loc"]))
    return Violation(path, error["msg"], error["type"])
