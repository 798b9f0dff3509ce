"""The arguments of a job: a pydantic model that is the contract between submitter and worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from tidemill.domain.contract import Contract, check_reserved
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.names import check_kind

_OWN: Final = ("job_kind", "job_aliases")


class JobArgs(Contract):
    """Base of every arguments model.

    The class statement names the kind::

        class MakeThumbnail(JobArgs, kind="media.thumbnail"):
            bucket: str
            width: int = Field(ge=16, le=4096)

    Class arguments:
        kind: the stable name of the job, at most 64 characters. It is written into every message, so
            it never changes; the Python name may.
        aliases: earlier kinds whose messages this job still accepts.
        version: of the fields, 1 if left out. One more for each change that would let this code misread what
            older code wrote, with an upcaster (`@upcasts`) from the version before.

    Models are strict (no coercion of `"5"` to 5), frozen, and refuse unknown fields when a job is
    submitted. A worker ignores unknown fields, so an optional field can be added in a rolling deploy.

    Raises:
        DefinitionError: the kind or an alias is ill-formed, an upcaster is missing or one too many, or a field is
            named `job_kind`, `job_aliases` or as one of `Contract`'s own (when the class is made).
    """

    contract_part: ClassVar[str] = "args"

    job_kind: ClassVar[str]
    job_aliases: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls, *, kind: str | None = None, aliases: tuple[str, ...] = (), version: int | None = None, **config: Any
    ) -> None:
        # pydantic reads the class keywords it knows before this and hands on the rest.
        super().__init_subclass__(**config)
        # Before pydantic makes fields of them, which would first warn of the shadowed attribute.
        check_reserved(cls.__name__, "JobArgs", "kind", _OWN, {*vars(cls), *vars(cls).get("__annotations__", ())})
        cls.contract_versioned(version, is_named=kind is not None)
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
        check_reserved(cls.__name__, "JobArgs", "kind", _OWN, set(cls.model_fields))


def _listed(name: str, aliases: object) -> Iterable[object]:
    if isinstance(aliases, str) or not isinstance(aliases, Iterable):
        raise DefinitionError(f"{name}: aliases is {aliases!r}. Fix: give a tuple of kinds, such as aliases=('old',)")
    return aliases
