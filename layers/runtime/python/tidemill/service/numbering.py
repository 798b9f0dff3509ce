"""Numbers for the jobs of entities whose submitters give none of their own.

They are taken before anything is sent: a number in the message is what the handler sees. So of two submits of one
entity at the same time, the one that got the higher number may be sent first. What is promised: a submit that
returned before another one began has the lower number and runs first; so has an earlier one of the same call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from tidemill.domain.entity import Entity
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import EntityOrder
from tidemill.service.submission import Order


def numbered(
    orders: Mapping[int, Order], numbers: EntityOrder, until_s: int
) -> tuple[dict[int, Order], dict[int, UnavailableError]]:
    """The orders with their numbers, and why some could get none; in the order given, each under its own key."""
    waiting: dict[Entity, list[int]] = {}
    for i, order in orders.items():
        if order.entity is not None and order.envelope.sequence is None:
            waiting.setdefault(order.entity, []).append(i)
    if not waiting:
        return dict(orders), {}
    taken = numbers.number([(entity, len(mine)) for entity, mine in waiting.items()], until_s)
    given: dict[int, int] = {}
    failed: dict[int, UnavailableError] = {}
    for mine, first in zip(waiting.values(), taken, strict=True):
        if isinstance(first, UnavailableError):
            failed.update(dict.fromkeys(mine, first))
        else:
            given.update({i: first + place for place, i in enumerate(mine)})
    return {i: _with(order, given.get(i)) for i, order in orders.items() if i not in failed}, failed


def held_back(orders: Mapping[int, Order], failed: Collection[int]) -> dict[int, UnavailableError]:
    """Orders whose entity has an earlier one among `failed`: it would come after them when it is submitted again."""
    stuck: set[Entity] = set()
    held: dict[int, UnavailableError] = {}
    for i, order in orders.items():
        if order.entity is None:
            continue
        if i in failed:
            stuck.add(order.entity)
        elif order.entity in stuck:
            held[i] = UnavailableError("submit", "EarlierOneNotSent")
    return held


def _with(order: Order, sequence: int | None) -> Order:
    return order if sequence is None else replace(order, envelope=replace(order.envelope, sequence=sequence))
