"""The lanes that a registry lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError
from tidemill.domain.lane import Lane


def standard_in(lanes: Mapping[str, Lane]) -> str:
    """The first lane that keeps no order.

    Raises:
        DefinitionError: there is none, and sagas need one.
    """
    standard = [lane.name for lane in lanes.values() if not lane.fifo]
    if not standard:
        raise DefinitionError("sagas need a standard lane, and all lanes are FIFO. Fix: add Lane('...')")
    return standard[0]


def lanes_by_name(lanes: Sequence[Lane]) -> dict[str, Lane]:
    """The lanes by their names, in the order given.

    Raises:
        DefinitionError: two share a name or their resources would, one is named as a DLQ, or they are none or too many.
    """
    named: dict[str, Lane] = {}
    plain: dict[str, str] = {}
    for lane in _listed(lanes):
        if lane.name in named:
            raise DefinitionError(f"two lanes are named {lane.name!r}. Fix: rename one")
        if lane.name.endswith("-dlq"):
            raise DefinitionError(f"lane {lane.name!r} is named as another lane's DLQ would be. Fix: rename it")
        # CloudFormation's logical ids hold no hyphens.
        twin = plain.setdefault(lane.name.replace("-", ""), lane.name)
        if twin != lane.name:
            raise DefinitionError(f"lanes {twin!r} and {lane.name!r} differ in hyphens only. Fix: rename one")
        named[lane.name] = lane
    if len(named) > limits.MAX_LANES:
        raise DefinitionError(
            f"the registry has {len(named)} lanes. Fix: at most {limits.MAX_LANES}; kinds may share one"
        )
    if not named:
        raise DefinitionError("a registry needs at least one lane. Fix: leave `lanes` out for the default three")
    return named


def _listed(lanes: object) -> list[Lane]:
    if not isinstance(lanes, Iterable):
        raise DefinitionError(f"lanes is {lanes!r}. Fix: lanes=(*DEFAULT_LANES, Lane('...'))")
    listed: list[Lane] = []
    for lane in lanes:
        if not isinstance(lane, Lane):
            raise DefinitionError(f"{lane!r} in `lanes` is no lane. Fix: give Lane('...')")
        listed.append(lane)
    return listed
