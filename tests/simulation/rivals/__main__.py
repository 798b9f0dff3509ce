"""`make versus`: the same orders and faults for every rival, the data file, and the tables.

python -m tests.simulation.rivals --seeds 500
python -m tests.simulation.rivals --story tidemill outage:17
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.rivals.arena import opened_arena
from tests.simulation.rivals.contest import compete
from tests.simulation.rivals.entrants import RIVALS
from tests.simulation.rivals.orders import BOUTS
from tests.simulation.story import Narrator

SEEDS = 500
_BY_NAME = {rival.name: rival for rival in RIVALS}


def _tell(rival: str, seed: str) -> int:
    bout, _, number = seed.partition(":")
    out = sys.stdout
    with opened_arena() as arena:
        score = arena.play(_BY_NAME[rival], BOUTS[bout], int(number), Narrator(out.write))
    out.write(f"{score}\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit code: 1 if Tidemill lost a job, left one stuck or broke an invariant."""
    parser = argparse.ArgumentParser(prog="make versus", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many schedules of each bout")
    parser.add_argument("--first", type=int, default=0, help="the first one's number")
    parser.add_argument("--story", nargs=2, metavar=("RIVAL", "SEED"), help="tell one, such as tidemill outage:17")
    given = parser.parse_args(arguments)
    if given.story:
        return _tell(*given.story)
    results = compete(given.first, given.seeds)
    if (given.first, given.seeds) == (0, SEEDS):
        results.save()
        results.write_pages()
    sys.stdout.write(f"{results.by_bout()}\n\n{results.summary()}\n")
    ours = results.total(_BY_NAME["tidemill"])
    return int(bool(ours.lost or ours.stuck or ours.never_ran or ours.violated))


if __name__ == "__main__":
    raise SystemExit(main())
