"""The arguments of a job: a pydantic model that is the contract between submitter and worker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError, InputError, InvalidArgsError, Violation
from tidemill.domain.names import check_kind
from tidemill.domain.strict_json import check_depth, dump_canonical


class JobArgs(BaseModel):
    """Base of every arguments model.

    The class statement names the kind::

        class MakeThumbnail(JobArgs, kind="media.thumbnail"):
            bucket: str
            width: int = Field(ge=16, le=4096)

    Class arguments:
        kind: the stable name of the job, at most 64 characters. It is written into every message, so
            it never changes; the Python name may.
        aliases: earlier kinds whose messages this job still accepts.

    Models are strict (no coercion of `"5"` to 5), frozen, and refuse unknown fields when a job is
    submitted. A worker ignores unknown fields, so an optional field can be added in a rolling deploy.

    Raises:
        DefinitionError: the kind or an alias is ill-formed, or a field is named `job_kind` or
            `job_aliases` (when the class is made).
    """

    # Constants: pydantic would else write NaN in a field of type Any as null, and the worker would get another value.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants")

    job_kind: ClassVar[str]
    job_aliases: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, kind: str | None = None, aliases: tuple[str, ...] = (), **config: Any) -> None:
        # pydantic reads the class keywords it knows before this and hands on the rest.
        super().__init_subclass__(**config)
        # Before pydantic makes fields of them, which would first warn of the shadowed attribute.
        _check_reserved(cls.__name__, {*vars(cls), *vars(cls).get("__annotations__", ())})
        if kind is None:
            return
        try:
            cls.job_kind = check_kind(kind)
            cls.job_aliases = tuple(check_kind(alias, "aliases") for alias in _listed(cls.__name__, aliases))
        except InputError as error:
            raise DefinitionError(f"{cls.__name__}: {error}") from error

    @classmethod
    def __pydantic_init_subclass__(cls, **config: Any) -> None:
        super().__pydantic_init_subclass__(**config)
        # Those of a mixin, too.
        _check_reserved(cls.__name__, set(cls.model_fields))

    @classmethod
    def from_input(cls, document: object) -> Self:
        """Build from a parsed JSON document of a submitter.

        Raises:
            InvalidArgsError: unknown, missing or ill-typed fields, each named `args.<path>`; or a validator of the
                model raised something else than ValueError.
        """
        try:
            return cls._parse(dump_canonical(document, "args"), {})
        except InputError:
            raise
        except Exception as error:
            # Its text may quote the arguments.
            problem = f"can't be checked: a validator of {cls.__name__} raised {type(error).__name__}"
            raise InvalidArgsError(Violation("args", problem, "validator")) from error

    @classmethod
    def from_message(cls, canonical: bytes) -> Self:
        """Build from the argument bytes of a message, ignoring fields this code does not know yet.

        Raises:
            InvalidArgsError: the bytes no longer fit the model.
        """
        return cls._parse(canonical, {"extra": "ignore"})

    @classmethod
    def _parse(cls, canonical: bytes, options: dict[str, Any]) -> Self:
        try:
            return cls.model_validate_json(canonical, **options)
        except ValidationError as error:
            raise InvalidArgsError(*map(_violation, error.errors(include_url=False, include_input=False))) from None

    def canonical(self) -> bytes:
        """The canonical JSON bytes of these arguments: sorted keys, no white space, UTF-8.

        Raises:
            InputError: they exceed 5 MiB (5,242,880 bytes) or 31 levels, or hold what JSON can't carry.
        """
        try:
            document = self.model_dump(mode="json", by_alias=True)
        except Exception as error:  # noqa: BLE001 - serialising runs the model's own code
            raise InvalidArgsError(Violation("args", f"can't be written as JSON: {error}", "json")) from None
        check_depth(document, "args", limits.MAX_ARGS_DEPTH)
        encoded = dump_canonical(document, "args")
        if len(encoded) > limits.MAX_PAYLOAD_BYTES:
            raise InvalidArgsError(
                Violation(
                    "args",
                    f"are {len(encoded)} bytes, the limit is {limits.MAX_PAYLOAD_BYTES}. "
                    "Fix: store the data in S3 and pass its key",
                    "too_large",
                )
            )
        return encoded


def fingerprint_of(canonical: bytes) -> str:
    """128 bits of SHA-256 over canonical argument bytes, in hex: equal arguments, equal fingerprint."""
    return hashlib.sha256(canonical).hexdigest()[:32]


def _listed(name: str, aliases: object) -> Iterable[object]:
    if isinstance(aliases, str) or not isinstance(aliases, Iterable):
        raise DefinitionError(f"{name}: aliases is {aliases!r}. Fix: give a tuple of kinds, such as aliases=('old',)")
    return aliases


def _check_reserved(name: str, fields: set[str]) -> None:
    for field in ("job_kind", "job_aliases"):
        if field in fields:
            raise DefinitionError(
                f"{name}.{field} is a name that JobArgs needs itself. Fix: rename the field; "
                f"a kind is given as class {name}(JobArgs, kind='...')"
            )


def _violation(error: Any) -> Violation:
    path = ".".join(str(part) for part in ("args", *error["loc"]))
    return Violation(path, error["msg"], error["type"])
