"""Where the arguments of each step come from, and that they are known by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidemill.domain.args import JobArgs
from tidemill.domain.errors import DefinitionError
from tidemill.domain.saga.declaring import Branches, Part, Step, filled
from tidemill.domain.saga.fitting import filling_of, references_in
from tidemill.domain.saga.references import ARGS, Condition, Place, Reference, arguments, place_of


class Resolver:
    """Fills the arguments of one step after the other, knowing what is known by then."""

    def __init__(self, where: str, args: type[JobArgs]) -> None:
        self._where = where
        self._args = args
        self._all: set[str] = set()

    def all(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        """The parts, with everything that fills their arguments.

        Raises:
            DefinitionError: a reference is to what is not known then, or of another type than what it fills.
        """
        self._all = {one.name for part in parts for one in ((part,) if isinstance(part, Step) else part.steps)}
        done: list[Part] = []
        known: list[Step] = []
        for part in parts:
            if isinstance(part, Step):
                done.append(self._filled(part, known))
                known.append(part)
            else:
                branches = tuple(self._branch(branch, known) for branch in part.branches)
                done.append(Branches(part.name, branches))
                known.extend(part.steps)
        return tuple(done)

    def _branch(self, branch: Sequence[Step], known: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(self._filled(one, [*known, *branch[:place]]) for place, one in enumerate(branch))

    def _filled(self, one: Step, known: Sequence[Step]) -> Step:
        where = f"{self._where}, step {one.name!r}"
        args = filling_of(where, one.job.args_type, one.args, self._args)
        conditions = [] if one.when is None else [one.when.reference]
        self._check_known(where, one, [*references_in(args), *conditions], known)
        undo_args: Mapping[str, Any] | None = None
        if one.compensate is not None:
            where = f"{where}, compensation"
            undo_args = filling_of(where, one.compensate.job.args_type, one.compensate.args, self._args)
            self._check_known(where, one, references_in(undo_args), known)
        return filled(one, args, undo_args)

    def _check_known(self, where: str, one: Step, references: Sequence[Reference], known: Sequence[Step]) -> None:
        before = {step.name: step for step in known}
        for place in map(place_of, references):
            source = before.get(place.step)
            if place.step == ARGS:
                self._check_args(where, place)
            elif source is None:
                self._refuse_unknown(where, place)
            elif source.when is not None and not _same(source.when, one.when):
                raise DefinitionError(
                    f"{where} takes {place}, and step {source.name!r} may be left out. "
                    "Fix: give both the same condition"
                )

    def _check_args(self, where: str, place: Place) -> None:
        """Refuse what refers to the arguments of another saga."""
        found = arguments(self._args)
        try:
            for name in place.path:
                found = getattr(found, name)
        except DefinitionError as error:
            raise DefinitionError(f"{where}: {error}") from None
        if place_of(found) != place:
            raise DefinitionError(f"{where} takes {place} of another saga. Fix: arguments({self._args.__name__})")

    def _refuse_unknown(self, where: str, place: Place) -> None:
        if place.step in self._all:
            raise DefinitionError(
                f"{where} takes {place}, and step {place.step!r} is not over by then. "
                "Fix: refer to a step that comes before it"
            )
        raise DefinitionError(f"{where} takes {place}, which is no step of this saga. Fix: list it in `steps`")


def _same(one: Condition, other: Condition | None) -> bool:
    return other is not None and _meaning(one) == _meaning(other)


def _meaning(condition: Condition) -> tuple[object, ...]:
    return place_of(condition.reference), condition.relation, condition.value, condition.negated
