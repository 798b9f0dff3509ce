"""How soon each planted bug is found: measured, kept in a file, and shown in the docs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.simulation.planted import PLANTED, Planted
from tests.simulation.schedule import Seed, Stage

DATA = Path(__file__).parent / "planted" / "measured.json"
DOCS = Path(__file__).parents[2] / "docs" / "proof.md"
BEGIN, END = "<!-- planted: written by `make prove PLANTED=1` -->", "<!-- /planted -->"
# A bug that so many seeds do not find is not caught.
MOST_SEEDS = 20_000
# The rate is known well enough then.
_ENOUGH_SEEDS, _ENOUGH_CAUGHT = 300, 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One planted bug: how many seeds were played, how many found it, the first that did, and by which invariants."""

    name: str
    seeds: int
    caught: int
    first: str | None
    by: dict[str, int]

    def __str__(self) -> str:
        return f"{self.name}: {self.caught} of {self.seeds}, first {self.first} ({_named(self.by)})"


def measure(stage: Stage, planted: Planted) -> Measured:
    """Play seeds of the bug's world until its rate is known. Seeds that break without it do not count."""
    first, by, played = None, Counter[str](), 0
    for number in range(MOST_SEEDS):
        if number >= _ENOUGH_SEEDS and by.total() >= _ENOUGH_CAUGHT:
            break
        played += 1
        seed = Seed(planted.world, number)
        with planted.applied():
            violation = stage.play(seed).violation
        if violation is None or stage.play(seed).violation is not None:
            continue
        by[violation.invariant] += 1
        first = first or str(seed)
    return Measured(planted.name, played, by.total(), first, dict(by.most_common()))


def _named(by: Iterable[str]) -> str:
    return ", ".join(by)


def load() -> dict[str, Measured]:
    """What was measured last, by name."""
    return {entry["name"]: Measured(**entry) for entry in json.loads(DATA.read_text())}


def save(measured: Iterable[Measured]) -> None:
    """Keep what was measured, and write the docs' table."""
    found = list(measured)
    DATA.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    text = DOCS.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    DOCS.write_text(f"{head}{BEGIN}\n{table({one.name: one for one in found})}{END}{tail}")


def table(measured: dict[str, Measured]) -> str:
    """The docs' table."""
    lines = [
        "| planted bug | what is wrong | for | schedules that find it | found as | first seed |",
        "|---|---|---|---|---|---|",
    ]
    for planted in PLANTED:
        one = measured[planted.name]
        rate = f"{float(f'{100 * one.caught / one.seeds:.2g}'):g} %" if one.caught else "none"
        found = _named(one.by)
        lines.append(f"| {planted.name} | {planted.story} | {planted.invariant} | {rate} | {found} | `{one.first}` |")
    return "\n".join(lines) + "\n"
