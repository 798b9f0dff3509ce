"""What customers of CDNOW bought from 1997 to 1998: a sample of real purchases that the package `lifetimes` carries.

One line a purchase: the customer's number in the whole data set and in the sample, the day, how many CDs, and what they
cost in dollars. Fader and Hardie published it (https://www.brucehardie.com/datasets/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import files
from pathlib import Path
from typing import Final

_PACKAGE: Final = "lifetimes"
_FILE: Final = "CDNOW_sample.txt"


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase.

    Attributes:
        number: its line in the file, from 1.
        customer: in the sample, from 1.
        cents: what all of its CDs cost together.
    """

    number: int
    customer: int
    day: date
    discs: int
    cents: int

    @property
    def order(self) -> str:
        """A name for it."""
        return f"cdnow-{self.number:04}"


def purchases() -> Iterator[Purchase]:
    """All of them, in the order of the file: 6,919."""
    for number, line in enumerate(_path().read_text(encoding="ascii").splitlines(), 1):
        _, customer, day, discs, dollars = line.split()
        yield Purchase(
            number,
            int(customer),
            datetime.strptime(day, "%Y%m%d").date(),  # noqa: DTZ007 - a day has no zone
            int(discs),
            int(Decimal(dollars) * 100),
        )


def _path() -> Path:
    (found,) = [file for file in files(_PACKAGE) or () if file.name == _FILE]
    return Path(str(found.locate()))
