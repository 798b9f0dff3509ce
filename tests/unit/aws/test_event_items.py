"""A fact as an item: what is none is said to be none, whatever somebody has written there."""

import pytest

from tests.streams import SEVEN, some_facts
from tidemill.aws.event_items import fact_item, recorded_of, version_at


def test_a_fact_comes_back():
    (recorded,) = some_facts(1)

    assert recorded_of(fact_item(recorded)) == recorded


@pytest.mark.parametrize(
    "change",
    [
        {"hash": None},
        {"id": None},
        {"data": {"B": b"{}"}},
        {"at": {"N": "1.5"}},
        {"at": {"S": "1"}},
        {"v": {"N": "1E+2"}},
        {"hops": {"S": "many"}},
        {"corr": {"N": "1"}},
        {"sk": {"S": "!"}},
        {"sk": {"S": "0000000000000001x"}},
        {"sk": {"S": "00000000000000015"}},
        {"sk": {"S": "000000000000_001"}},
        {"pk": {"S": "nobody"}},
        {"pk": {"S": "acme#account"}},
        {"pk": {"S": "#account/7"}},
    ],
)
def test_what_is_no_fact_is_none(change):
    item = {**fact_item(some_facts(1)[0]), **change}

    assert recorded_of({name: value for name, value in item.items() if value is not None}) is None


@pytest.mark.parametrize(
    ("place", "version"), [("0000000000000003", 3), ("0000000000000003x", 4), ("!", 1), ("", 1), ("7", 1)]
)
def test_a_place_says_which_fact_is_not_there(place, version):
    assert version_at({"pk": {"S": f"acme#{SEVEN.subject}"}, "sk": {"S": place}}) == version
