"""A saga: its steps in order, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tidemill.domain.args import JobArgs
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.names import check_kind
from tidemill.domain.saga.checking import checked
from tidemill.domain.saga.declaring import AnyJob, Part, Step


@dataclass(frozen=True, eq=False)
class Saga:
    """Steps that happen all, or are undone.

        given = arguments(PlaceOrderArgs)
        reserve = step("reserve", reserve_stock, compensate=release_stock, timeout=minutes(10))
        charge = step("charge", charge_card, args={"cents": given.cents}, pivot=True, timeout=minutes(5))
        ship = step("ship", send_parcel, args={"shelf": reserve.result.shelf}, timeout=hours(12))
        place_order = Saga("orders.place", PlaceOrderArgs, steps=[reserve, charge, ship])
        registry = JobRegistry(reserve_stock, release_stock, charge_card, send_parcel, sagas=[place_order])

    Arguments:
        name: lower-case words joined by `.`, `_` or `-`, at most 64 characters, and stable.
        args: the model of the saga's arguments: a `JobArgs` class, which needs no kind.
        steps: what happens, in this order.

    Raises:
        DefinitionError: a step has no timeout; a compensatable one comes after the pivot; two are named alike; a
            reference is to what is not known then, or to a field of another type. The message names the place.
    """

    name: str
    args: type[JobArgs]
    steps: Sequence[Part] = field(kw_only=True)

    def __post_init__(self) -> None:

        try:
            check_kind(self.name, "name")
        except InputError as error:
            raise DefinitionError(f"Saga({self.name!r}): {error}") from error
        object.__setattr__(self, "steps", checked(self.name, self.args, self.steps))

    def __iter__(self) -> Iterator[Step]:
        """Every step, those of branches too, in the order in which they are written."""
        for part in self.steps:
            yield from (part,) if isinstance(part, Step) else part.steps

    def step(self, name: str) -> Step:
        """The step of this name.

        Raises:
            KeyError: the saga has no such step.
        """
        return next(one for one in self if one.name == name)

    @property
    def point_of_no_return(self) -> Step:
        """The step whose start decides that the saga can't be cancelled any more.

        The pivot; without one, the last step that always runs.
        """
        steps = list(self)
        return next((one for one in steps if one.pivot), [one for one in steps if one.when is None][-1])

    def is_retried(self, wanted: Step) -> bool:
        """Whether a step comes after the pivot, so that it is never given up."""
        steps = list(self)
        pivots = [place for place, one in enumerate(steps) if one.pivot]
        return bool(pivots) and steps.index(wanted) > pivots[0]

    @property
    def jobs(self) -> tuple[AnyJob, ...]:
        """The jobs that it is made of, each once."""
        undos = [one.compensate.job for one in self if one.compensate is not None]
        return tuple(dict.fromkeys([*(one.job for one in self), *undos]))
