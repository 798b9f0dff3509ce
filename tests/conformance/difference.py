"""One known difference between an emulator and AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One of them.

    Attributes:
        name: that of its edge.
        operation: whose answer differs.
        aws: what AWS documents, or was seen to do; the fake does so.
        source: where that stands.
        outcomes: what an emulator's edge comes to instead; one that does as AWS is not named.
        lasting: whether the two hold something else afterwards, so that a sequence can't go on.
        left_out: whether random sequences do without such steps.
    """

    name: str
    operation: str
    aws: str
    source: str
    outcomes: Mapping[str, str]
    lasting: bool = True
    left_out: bool = False


def moto(outcome: str) -> dict[str, str]:
    """Only moto differs."""
    return {"moto": outcome}


def ministack(outcome: str) -> dict[str, str]:
    """Only MiniStack differs."""
    return {"ministack": outcome}


def both(moto: str, ministack: str) -> dict[str, str]:
    """Both differ, each in its way."""
    return {"moto": moto, "ministack": ministack}
