"""LineStore: one writer of each version of a line, editions apart, and nothing of another tenant's."""

from dataclasses import replace
from itertools import count

import pytest

from tests.contract.backends import create_lines_table
from tests.streams import SEVEN
from tidemill.aws.lines import DynamoLines
from tidemill.domain import limits, stream_limits
from tidemill.domain.chain import Head
from tidemill.domain.errors import InputError
from tidemill.domain.line import Editions, Halt, Line
from tidemill.domain.stream import StreamRef
from tidemill.testing.lines import MemoryLines

EIGHT = StreamRef("acme", "account", "8")
OTHERS = StreamRef("zeta", "account", "7")
NAME = "balances"
_tables = count(1)


@pytest.fixture(params=["memory", "moto", "ministack", "bench"])
def lines(request):
    if request.param == "memory":
        return MemoryLines()
    if request.param == "bench":
        return DynamoLines(request.getfixturevalue("bench_events"), "lines")
    client = request.getfixturevalue(request.param).dynamodb
    table = f"lines-{next(_tables)}"
    create_lines_table(client, table)
    return DynamoLines(client, table)


def a_line(version=1, ref=SEVEN, **changes):
    return replace(Line(ref, Head(version, f"{version:064x}"), 5, b'{"cents":1}', "all", "0000000000000001"), **changes)


@pytest.mark.parametrize(
    "line",
    [
        a_line(data='{"owner":"Zoë"}'.encode()),
        a_line(group=None, order=None),
        a_line(data=None, group=None, order=None),
        a_line(halt=Halt(2, "ValueError: no — such")),
        a_line(order="a#b", group="g:1/2"),
        Line(SEVEN, halt=Halt(1, "x")),
    ],
)
def test_a_line_comes_back_whole(lines, line):
    assert lines.write(NAME, 1, None, line)

    assert lines.find(NAME, 1, [EIGHT, SEVEN]) == [None, line]


def test_one_writer_of_a_version_wins(lines):
    assert lines.write(NAME, 1, None, a_line(1))
    assert not lines.write(NAME, 1, None, a_line(1, data=b"{}"))
    assert lines.write(NAME, 1, a_line(1), a_line(3))
    assert not lines.write(NAME, 1, a_line(1), a_line(2))
    assert not lines.write(NAME, 1, a_line(2, ref=EIGHT), a_line(3, ref=EIGHT))

    assert lines.find(NAME, 1, [SEVEN, EIGHT]) == [a_line(3), None]


def test_editions_projections_and_tenants_are_apart(lines):
    assert lines.write(NAME, 1, None, a_line(1))

    assert lines.find(NAME, 2, [SEVEN]) == [None]
    assert lines.find("others", 1, [SEVEN]) == [None]
    assert lines.find(NAME, 1, [OTHERS]) == [None]
    assert lines.listed(NAME, 1, "zeta", "all", 9, None, descending=False).lines == ()
    assert lines.listed(NAME, 2, "acme", "all", 9, None, descending=False).lines == ()
    assert lines.find(NAME, 1, []) == []


def test_many_lines_are_found_at_once(lines):
    refs = [StreamRef("acme", "account", str(number)) for number in range(150)]
    for ref in refs[::2]:
        lines.write(NAME, 1, None, a_line(ref=ref))

    found = lines.find(NAME, 1, refs)
    assert [line is not None for line in found] == [number % 2 == 0 for number in range(150)]


def test_a_group_is_listed_in_order_and_in_pages(lines):
    for number in range(9):
        ref = StreamRef("acme", "account", str(number))
        lines.write(NAME, 1, None, a_line(ref=ref, order=f"{9 - number:016d}"))
    lines.write(NAME, 1, None, a_line(ref=EIGHT, group="others"))

    upward = _every(lines, descending=False)
    assert [line.ref.key for line in upward] == list("876543210")
    assert _every(lines, descending=True) == upward[::-1]
    with pytest.raises(InputError):
        lines.listed(NAME, 1, "acme", "all", 4, "nonsense", descending=False)


def test_a_line_that_moves_to_another_group_leaves_its_own(lines):
    lines.write(NAME, 1, None, a_line(1))
    lines.write(NAME, 1, a_line(1), a_line(2, group="others"))

    assert lines.listed(NAME, 1, "acme", "all", 9, None, descending=False).lines == ()
    assert lines.listed(NAME, 1, "acme", "others", 9, None, descending=False).lines == (a_line(2, group="others"),)


def test_halted_streams_are_found_until_they_go_on(lines):
    halted = a_line(1, halt=Halt(2, "ValueError"))
    lines.write(NAME, 1, None, halted)
    lines.write(NAME, 1, None, a_line(1, ref=OTHERS, halt=Halt(2, "ValueError")))
    lines.write(NAME, 1, None, a_line(1, ref=EIGHT))

    first = lines.halted(NAME, 1, 1, None)
    rest = lines.halted(NAME, 1, 9, first.cursor)
    assert {*first.refs, *rest.refs} == {SEVEN, OTHERS}
    assert lines.halted(NAME, 2, 9, None).refs == ()
    lines.write(NAME, 1, halted, a_line(2))
    assert lines.halted(NAME, 1, 9, None).refs == (OTHERS,)


def test_editions_change_only_from_what_they_are(lines):
    assert lines.editions(NAME) == Editions()
    rebuilt = Editions(1, 2, 2)
    assert lines.change_editions(NAME, Editions(), rebuilt)
    assert not lines.change_editions(NAME, Editions(), rebuilt)
    assert lines.editions(NAME) == rebuilt
    dropped = Editions(1, None, 2)
    assert lines.change_editions(NAME, rebuilt, dropped)
    filled = Editions(1, 3, 3, filled=True)
    assert lines.change_editions(NAME, dropped, Editions(1, 3, 3))
    assert not lines.change_editions(NAME, filled, Editions(3, None, 3))
    assert lines.change_editions(NAME, Editions(1, 3, 3), filled)
    assert not lines.change_editions(NAME, Editions(1, 3, 3), filled)
    assert lines.editions(NAME) == filled
    assert lines.change_editions(NAME, filled, dropped)
    # The same live edition is not the same state.
    assert not lines.change_editions(NAME, Editions(), Editions(1, 2, 2))
    assert lines.editions("others") == Editions()
    assert lines.editions(NAME) == dropped


def test_what_is_reached_only_grows(lines):
    assert lines.reached(NAME) is None
    for at in (5, 9, 7):
        lines.reach(NAME, at)

    assert lines.reached(NAME) == 9
    assert lines.reached("others") is None


def test_a_purge_deletes_what_is_not_kept(lines):
    refs = [StreamRef("acme", "account", str(number)) for number in range(25)]
    editions = Editions(2, 4, 4)
    lines.change_editions(NAME, Editions(), editions)
    lines.reach(NAME, 1)
    # The fifth was begun after the editions were read.
    places = (*((NAME, edition) for edition in range(1, 6)), ("others", 1))
    for name, edition in places:
        for ref in refs:
            lines.write(name, edition, None, a_line(ref=ref))

    cursor, pages = lines.purge(NAME, editions, None), 1
    while cursor is not None:
        cursor, pages = lines.purge(NAME, editions, cursor), pages + 1

    left = {
        (name, edition): sum(line is not None for line in lines.find(name, edition, refs)) for name, edition in places
    }
    assert left == {(NAME, 1): 0, (NAME, 2): 25, (NAME, 3): 0, (NAME, 4): 25, (NAME, 5): 25, ("others", 1): 25}
    assert lines.editions(NAME) == editions


def test_the_longest_names_fit(lines):
    ref = StreamRef(
        "t" * limits.MAX_TENANT_CHARS, "c" * stream_limits.MAX_CATEGORY_CHARS, "k" * stream_limits.MAX_STREAM_KEY_CHARS
    )
    name, group = "p" * stream_limits.MAX_CATEGORY_CHARS, "g" * limits.MAX_KEY_CHARS
    line = a_line(ref=ref, group=group, order="o" * limits.MAX_ENTITY_CHARS)
    assert lines.write(name, 10**9, None, line)

    assert lines.listed(name, 10**9, ref.tenant, group, 9, None, descending=False).lines == (line,)


def _every(lines, *, descending):
    found, cursor = [], None
    while True:
        page = lines.listed(NAME, 1, "acme", "all", 4, cursor, descending=descending)
        found += page.lines
        cursor = page.cursor
        if cursor is None:
            return found
