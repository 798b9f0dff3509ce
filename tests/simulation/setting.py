"""What a world is made of before its seed is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.faults import EVERYWHERE, Fault

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Setting:
    """One world.

    Arguments:
        about: what it is about, for the docs.
        prepare: fills it by its seed, and answers how long the trouble lasts, in milliseconds.
        kinds: the faults that may happen in it.
        certain: those of them that are on in every seed.
        share_redriven: in which share of the schedules all that is dead is redriven in the end.
        quiet_within_ms: after the trouble, everything must be over within this time.
        most_calls: more calls than this for one job are a loop that costs money.
        ends_at_rest: the trouble is over before its time once nobody is left to call and the janitor has looked.
        audits: what must hold in it when everything is quiet, beside what must hold everywhere.
        has_sagas: its program declares sagas. `has_outbox`: it has events, and a relay.
        has_subscribers: some of its kinds hear of events.
    """

    name: str
    about: str
    prepare: Callable[[World], int]
    kinds: tuple[Fault, ...] = EVERYWHERE
    certain: tuple[Fault, ...] = ()
    share_redriven: float = 0.3
    quiet_within_ms: int = 2 * 3_600_000
    most_calls: int = 500
    ends_at_rest: bool = False
    audits: tuple[Callable[[World], None], ...] = ()
    has_sagas: bool = False
    has_outbox: bool = False
    has_subscribers: bool = False
