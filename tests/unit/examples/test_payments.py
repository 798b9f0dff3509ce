"""6,919 real payments as events: the balances are a straight sum, a tampered byte is found, a rebuild is the same."""

from examples.payments.__main__ import main


def test_the_ledger_is_right(capsys):
    assert main() == 0

    said = capsys.readouterr().out
    assert said.startswith("6,919 payments of 2,357 customers")
    assert said.count("ok  ") == 4
