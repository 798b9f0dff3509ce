"""`python -m tests.model [--big] [--json FILE]`: search the models, then look for every planted bug; one line a model.

It exits with 1 unless no promise was broken and every bug was caught.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.model import batch_planted, schedules
from tests.model.models import MODELS
from tests.model.planted import PLANTED


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument(
        "--big",
        action="store_true",
        help="search the bigger bounds, and batches and schedules: minutes",
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    figures = {name: searched(name, big=options.big) for name in MODELS}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, found in figures.items():
        fields = ("states", "transitions", "depth", "violated", "planted", "caught")
        sys.stdout.write(f"model={name} " + " ".join(f"{field}={found[field]}" for field in fields) + "\n")
    # These two have a search of their own.
    apart = batch_planted.main() + schedules.main() if options.big else 0
    return int(apart > 0 or any(found["violated"] or found["caught"] < found["planted"] for found in figures.values()))


def searched(name: str, *, big: bool) -> dict[str, Any]:
    """Search one model and look for its planted bugs: the figures."""
    kind = MODELS[name]
    searches = []
    for bounds in (*kind.bounds, *(kind.big if big else ())):
        began = time.monotonic()
        finding, _ = kind.search(bounds)
        took = time.monotonic() - began
        searches.append(
            {
                "bounds": bounds.name,
                "says": str(bounds),
                "states": finding.states,
                "transitions": finding.transitions,
                "depth": finding.depth,
                "broken": finding.problem,
                "trace": finding.trace,
                "seconds": round(took, 1),
            }
        )
        sys.stderr.write(f"{name}, {bounds.name}: {finding} in {took:.1f} s\n")
    bugs = [_looked_for(planted) for planted in PLANTED if planted.model == name]
    return {
        "states": sum(search["states"] for search in searches),
        "transitions": sum(search["transitions"] for search in searches),
        "depth": max(search["depth"] for search in searches),
        "violated": sum(bool(search["broken"]) for search in searches),
        "planted": len(bugs),
        "caught": sum(bool(bug["caught"]) for bug in bugs),
        "limits": {"MAX_CRASHES": kind.crashes, "MAX_RECEIVES": kind.receives},
        "searches": searches,
        "bugs": bugs,
    }


def _looked_for(planted: Any) -> dict[str, Any]:
    kind = MODELS[planted.model]
    bounds = next(bounds for bounds in kind.bounds if bounds.name == planted.bounds)
    with planted.applied():
        finding, _ = kind.search(bounds)
    return {
        "bug": planted.name,
        "bounds": planted.bounds,
        "caught": finding.problem,
        "states_until_found": finding.states,
        "trace": finding.trace,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
