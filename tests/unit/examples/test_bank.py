"""The bank account of the guide: decided by its state, once for each payment, and projected."""

import pytest

from examples.guide.bank_account import Account, Deposited, Opened, OverdrawnError, Withdrawn, account, withdraw
from examples.guide.bank_balances import balances, registry, richest
from tidemill.testing import EventHarness


@pytest.fixture
def tide():
    tide = EventHarness(balances)
    for key, owner, cents in (("7", "ada", 500), ("8", "bob", 900)):
        tide.streams.change(account, key, lambda _, o=owner, c=cents: [Opened(owner=o), Deposited(cents=c)])
    return tide


def test_an_account_is_what_happened_to_it(tide):
    assert withdraw(tide.streams, "7", 200, "payment-1") == 300
    assert tide.happened(account, "7") == [Opened(owner="ada"), Deposited(cents=500), Withdrawn(cents=200)]
    assert tide.streams.load(account, "7").state == Account(owner="ada", cents=300)


def test_a_payment_happens_once(tide):
    for _ in range(3):
        withdraw(tide.streams, "7", 200, "payment-1")

    assert tide.streams.load(account, "7").state.cents == 300


def test_nobody_takes_what_is_not_there(tide):
    with pytest.raises(OverdrawnError):
        withdraw(tide.streams, "7", 501, "payment-1")
    assert tide.streams.load(account, "7").version == 2


def test_the_bank_sees_its_largest_accounts(tide):
    tide.project()
    assert richest(tide.read_models) == ["bob", "ada"]
    withdraw(tide.streams, "8", 500, "payment-1")
    tide.project()

    assert richest(tide.read_models) == ["ada", "bob"]
    assert list(registry.projections) == ["balances"]


def test_an_account_that_was_never_opened_halts_its_line_alone(tide):
    tide.streams.change(account, "9", lambda _: [Deposited(cents=1)])
    tide.project()

    assert tide.read_models.get(balances, "9").halted == "ValueError: Deposited before the account was opened"
    assert richest(tide.read_models) == ["bob", "ada"]
    assert [alert.event for alert in tide.telemetry.alerts] == ["stream_halted"]
