"""Time zones by their IANA names, from the database of the machine that asks.

A worker never asks: whether its machine has the database, and how old it is, is not ours to say. So a declared zone is
looked up where a schedule is deployed and where its times are shown, and not when a module of jobs is imported.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


def check_zone_name(value: object, field: str = "tz") -> str:
    """Return `value` if it can be the name of a zone; raise InputError naming `field`. Nothing is looked up."""
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > limits.MAX_ZONE_CHARS:
        raise InputError.at(
            field, f"is {value!r:.60}, which no time zone is called. Fix: give a name such as 'Europe/Paris'", "zone"
        )
    return value


def zone_of(name: str, field: str = "tz") -> ZoneInfo:
    """The zone of this name.

    Raises:
        InputError: there is none, or the machine has no database of zones.
    """
    from zoneinfo import ZoneInfo

    known = _known()
    if not known:
        problem = "can't be looked up: this machine has no time zone database. Fix: pip install tzdata"
        raise InputError.at(field, problem, "no_zones")
    if name not in known:
        by_lower = {zone.lower(): zone for zone in known}
        near = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=3)]
        hint = f"did you mean {' or '.join(near)}?" if near else "give an IANA name such as 'Europe/Paris'"
        raise InputError.at(field, f"{name!r:.60} is no time zone that this machine knows. Fix: {hint}", "unknown_zone")
    return ZoneInfo(name)


@cache
def _known() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones())
