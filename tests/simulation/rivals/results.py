"""What a head-to-head came to: the data file, and the tables in the pages that are held to it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.rivals.entrants import RIVALS, Rival
from tests.simulation.rivals.orders import BOUTS
from tests.simulation.rivals.score import Score

ROOT = Path(__file__).parents[3]
DATA = Path(__file__).with_name("results.json")
README, PAGE = ROOT / "README.md", ROOT / "docs/head-to-head.md"
_FIELDS = (
    ("accepted", "accepted"),
    ("succeeded", "succeeded"),
    ("lost", "lost"),
    ("never_ran", "never ran"),
    ("stuck", "stuck"),
    ("failed", "failed"),
    ("duplicates", "effects again"),
    ("keyed_duplicates", "again, keyed"),
    ("dead_healthy", "healthy in DLQ"),
    ("false_alarms", "false alarms"),
    ("wrong_rows", "wrong state"),
)


@dataclass(frozen=True, slots=True)
class Results:
    """Scores by bout and rival, of the seeds `first` to `first + seeds - 1` of each bout."""

    first: int
    seeds: int
    scores: dict[str, dict[str, Score]]

    def total(self, rival: Rival) -> Score:
        """Over all bouts."""
        return sum((by_rival[rival.name] for by_rival in self.scores.values()), Score())

    # --- the data file ----------------------------------------------------------------------------

    def save(self) -> None:
        scores = {bout: {name: score.as_dict() for name, score in of.items()} for bout, of in self.scores.items()}
        document = {"first": self.first, "seeds": self.seeds, "scores": scores}
        DATA.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls) -> Results:
        document = json.loads(DATA.read_text())
        scores = document["scores"]
        return cls(
            document["first"],
            document["seeds"],
            {bout: {name: Score(**score) for name, score in of.items()} for bout, of in scores.items()},
        )

    # --- the tables -------------------------------------------------------------------------------

    def summary(self) -> str:
        """A row for each question, a column for each rival."""
        totals = [self.total(rival) for rival in RIVALS]
        outages = [self.scores["outage"][rival.name] for rival in RIVALS]
        others = [total.dead_healthy - outage.dead_healthy for total, outage in zip(totals, outages, strict=True)]
        rows: list[tuple[str, list[int]]] = [
            ("jobs accepted", [one.accepted for one in totals]),
            ("lost, stuck, or redriven in vain", [one.lost + one.stuck + one.never_ran for one in totals]),
            ("effects applied again", [one.duplicates for one in totals]),
            ("... at a dependency that recognises a repeated key", [one.keyed_duplicates for one in totals]),
            ("healthy jobs in the DLQ: a dependency was down", [one.dead_healthy for one in outages]),
            ("healthy jobs in the DLQ: AWS or workers failed", others),
            ("messages in the DLQ of jobs that had succeeded", [one.false_alarms for one in totals]),
        ]
        pairs = zip(RIVALS, totals, strict=True)
        wrong = [f"{one.wrong_rows:,}" if rival.has_rows else "none kept" for rival, one in pairs]
        table = [(text, [f"{number:,}" for number in numbers]) for text, numbers in rows]
        schedules = f"{self.seeds * len(BOUTS):,} schedules each"
        return _table(
            [schedules, *(rival.title for rival in RIVALS)], [*table, ("jobs whose kept state is wrong", wrong)]
        )

    def by_bout(self) -> str:
        """A row for each bout and rival."""
        rows = [
            (f"`{bout}`, {rival.title}", [f"{getattr(of[rival.name], name):,}" for name, _ in _FIELDS])
            for bout, of in self.scores.items()
            for rival in RIVALS
        ]
        return _table(["bout, rival", *(text for _, text in _FIELDS)], rows)

    def write_pages(self) -> None:
        """Put the tables between their marks."""
        for page, name, table in self.placed():
            marks = re.compile(f"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            text = page.read_text()
            page.write_text(marks.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text))

    def placed(self) -> list[tuple[Path, str, str]]:
        """Which page shows which table between which marks."""
        return [
            (README, "versus", self.summary()),
            (PAGE, "versus", self.summary()),
            (PAGE, "versus by bout", self.by_bout()),
        ]


def _table(head: list[str], rows: list[tuple[str, list[str]]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {text} | {' | '.join(cells)} |" for text, cells in rows)])
