"""Checks of what a program declares, so that a slip is a DefinitionError with its fix and not a TypeError later."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from tidemill.domain.errors import DefinitionError

E = TypeVar("E", bound=StrEnum)


def check_whole(field: str, value: object, low: int, high: int) -> None:
    """Refuse what is no whole number from `low` to `high`; True is no number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionError(f"{field} is {value!r}. Fix: give a whole number, {low} to {high}")
    if not low <= value <= high:
        raise DefinitionError(f"{field} is {value}. Fix: choose {low} to {high}")


def check_span(field: str, value: object) -> None:
    """Refuse what is no timedelta: a bare number does not say its unit."""
    if not isinstance(value, timedelta):
        raise DefinitionError(f"{field} is {value!r}. Fix: give a span with its unit, such as seconds(5) or minutes(2)")


def check_instance(field: str, value: object, wanted: type) -> None:
    """Refuse what is no `wanted`."""
    if not isinstance(value, wanted):
        raise DefinitionError(f"{field} is {value!r}. Fix: give a {wanted.__name__}")


def check_word(field: str, value: Any, words: type[E]) -> E:
    """Return the member of `words` that `value` is or spells."""
    try:
        return words(value)
    except ValueError:
        raise DefinitionError(f"{field} is {value!r}. Fix: choose one of {', '.join(words)}") from None
