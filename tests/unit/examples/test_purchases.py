"""The shop's real purchases."""

from datetime import date

from examples.orders.purchases import Purchase, purchases


def test_the_file_is_the_published_one():
    found = list(purchases())

    assert len(found) == 6_919
    assert found[0] == Purchase(1, 1, date(1997, 1, 1), 2, 2_933)
    assert (found[-1].number, found[-1].customer) == (6_919, 2_357)
    assert len({purchase.order for purchase in found}) == len(found)


def test_what_was_bought_and_paid():
    found = list(purchases())

    assert sum(purchase.discs for purchase in found) == 16_479
    assert sum(purchase.cents for purchase in found) == 24_409_194
    assert min(purchase.discs for purchase in found) >= 1
    assert {purchase.day.year for purchase in found} == {1997, 1998}
