"""What a registry takes for streams and projections."""

import pytest
from pydantic import BaseModel

from tests.streams import Account, Moved, account, apply
from tidemill import JobRegistry
from tidemill.domain.errors import DefinitionError
from tidemill.domain.event import Event
from tidemill.domain.projection import projection
from tidemill.domain.stream import Stream


class Balance(BaseModel):
    cents: int = 0


@projection("balances", of=account, model=Balance)
def balances(line, _event, _fact):
    return line


class Shifted(Event, type="account.moved"):
    by: int


def another(category="other", **changes):
    return Stream(category, **{"events": [Moved], "start": Account(), "apply": apply, **changes})


def test_streams_and_projections_are_found_by_name():
    registry = JobRegistry(streams=[account], projections=[balances])

    assert dict(registry.streams) == {"account": account}
    assert dict(registry.projections) == {"balances": balances}
    assert dict(registry.events) == {}
    assert (dict(JobRegistry().streams), dict(JobRegistry().projections)) == ({}, {})


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"streams": [Moved]}, "is no stream"),
        ({"streams": account}, "Fix: streams="),
        ({"streams": [account, account]}, "two streams are of category 'account'"),
        ({"streams": [account, another()]}, "both have events of type 'account.moved'"),
        ({"streams": [account], "events": [Shifted]}, "two events have type 'account.moved'"),
        ({"streams": [account], "projections": [len]}, "is no projection"),
        ({"streams": [account], "projections": [balances, balances]}, "two projections are named 'balances'"),
        ({"projections": [balances]}, "which is not listed"),
        ({"streams": [another("account")], "projections": [balances]}, "which is not listed"),
        ({"projections": 5}, "Fix: projections="),
    ],
)
def test_a_wrong_list_says_what_to_do(declared, says):
    with pytest.raises(DefinitionError, match="Fix") as refused:
        JobRegistry(**declared)
    assert says in str(refused.value)
