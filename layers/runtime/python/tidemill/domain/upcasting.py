"""From a document of an earlier version of a contract to one of the next: what `@upcasts` declares, and its checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError

Document: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Document], Document]

_STEP: Final = "__tidemill_upcasts__"


def upcasts(version: int) -> Callable[[Upcaster], staticmethod[[Document], Document]]:
    """Declare, in the body of a model, how a document of `version` becomes one of the version after it.

        class Charge(JobArgs, kind="pay.charge", version=2):
            cents: int

            @upcasts(1)
            @staticmethod
            def _counted_in_cents(document: Document) -> Document:
                document["cents"] = round(document.pop("euros") * 100)
                return document

    The function gets the parsed JSON of that version, its own copy, and answers that of the next one. It is pure: it
    may run many times for one job, on any machine, and in the order of the versions. What it raises is told by its
    type only, as the arguments may be secret.

    Raises:
        DefinitionError: `version` is no whole number from 1 on, or something else than a function is decorated.
    """
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version < limits.MAX_CONTRACT_VERSION:
        raise DefinitionError(
            f"@upcasts({version!r}) must name the version it begins at, 1 to {limits.MAX_CONTRACT_VERSION - 1}. "
            "Fix: @upcasts(1) makes version 2 of version 1"
        )

    def mark(function: Upcaster) -> staticmethod[[Document], Document]:
        inner = function.__func__ if isinstance(function, staticmethod) else function
        if not callable(inner) or isinstance(inner, type):
            raise DefinitionError(f"@upcasts({version}) stands on {inner!r:.100}. Fix: put it on a static method")
        try:
            setattr(inner, _STEP, version)
        except AttributeError:
            raise DefinitionError(f"@upcasts({version}) stands on {inner!r:.100}. Fix: write a function") from None
        return staticmethod(inner)

    return mark


def chain_of(name: str, version: object, namespace: Mapping[str, Any]) -> tuple[Upcaster, ...]:
    """The upcasters of a model that is in `version`: the first makes version 2 of version 1, and so on.

    Raises:
        DefinitionError: the version is no whole number from 1 on; a step is missing, declared twice, or leads beyond
            the version.
    """
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= limits.MAX_CONTRACT_VERSION:
        problem = f"{name}: version is {version!r}. Fix: a whole number from 1 to {limits.MAX_CONTRACT_VERSION}"
        raise DefinitionError(problem)
    found: dict[int, Upcaster] = {}
    for step, upcaster in _declared(namespace):
        if step in found:
            raise DefinitionError(
                f"{name} has two upcasters from version {step}. Fix: one step, one upcaster; the next one is "
                f"@upcasts({step + 1})"
            )
        found[step] = upcaster
    if ahead := sorted(step for step in found if step >= version):
        raise DefinitionError(
            f"{name} is version {version} and has an upcaster from version {ahead[0]}. "
            f"Fix: class {name}(..., version={ahead[-1] + 1}), or take the upcaster out"
        )
    if missing := [step for step in range(1, version) if step not in found]:
        raise DefinitionError(
            f"{name} is version {version} and has no upcaster from version {missing[0]}. "
            f"Fix: add a static method @upcasts({missing[0]}) that makes version {missing[0] + 1} of it; "
            "jobs of every version may still be stored"
        )
    return tuple(found[step] for step in range(1, version))


def refuse_versions(name: str, version: object, namespace: Mapping[str, Any]) -> None:
    """For a model that nothing names: its versions would be nobody's.

    Raises:
        DefinitionError: it has a version or an upcaster.
    """
    if version is not None or any(_declared(namespace)):
        raise DefinitionError(
            f"{name} has a version or an upcaster, and no name of its own. Fix: give them to the class that has the "
            "kind of a job or the type of an event"
        )


def _declared(namespace: Mapping[str, Any]) -> list[tuple[int, Upcaster]]:
    found = [value.__func__ for value in namespace.values() if isinstance(value, staticmethod)]
    return [(step, one) for one in found if (step := getattr(one, _STEP, None)) is not None]
