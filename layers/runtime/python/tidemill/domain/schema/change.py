"""One difference between two schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

# What is said of a field that the new schema does not have.
GONE: Final = "is gone: what was written of it is ignored"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        path: the field, such as `args.lines[].cents`. `what`: in words.
        breaking: something that the old model wrote could not be read by the new one, or nobody can tell.
    """

    path: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.path} {self.what}"
