"""docs/emulators.md is the table of differences, and nothing else is in its tables."""

import re

import pytest

from tests.conformance.differences import DIFFERENCES
from tests.conformance.edge import NOT_TRIED
from tests.conformance.edges import EDGES
from tests.conformance.subjects import Fake

# Name, operation, AWS with its source, moto, MiniStack.
ROW = re.compile(r"^\| [^|]+ \| (?P<operation>\w+) \| [^|]+ \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def shown(outcome):
    return f"`{outcome.replace('|', '/')}`"


@pytest.fixture(scope="module")
def rows():
    """What the page must hold, made from the table; the fake's outcome is that of AWS."""

    def row(one):
        ours = EDGES[one.name].outcome(Fake())
        moto, ministack = (shown(one.outcomes.get(name, ours)) for name in ("moto", "ministack"))
        if one.name in UNTRIED:
            ministack = NOT_TRIED
        return f"| {one.name} | {one.operation} | {shown(ours)}: {one.aws} ({one.source}) | {moto} | {ministack} |"

    return [row(one) for one in DIFFERENCES]


# Edges that need a clock of ours.
UNTRIED = {"the visibility of a message that was sent 13 hours ago"}


def test_the_page_holds_every_difference(rows, repository):
    page = (repository / "docs/emulators.md").read_text()
    found = [match[0] for match in ROW.finditer(page) if match["operation"] != "operation"]

    assert found == rows
