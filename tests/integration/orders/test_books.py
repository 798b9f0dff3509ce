"""A posting is made once, undone once, and leaves all accounts together at zero."""

import pytest
from orders.books import OutOfStockError, Posting

PAID = Posting("o1#charge", "customer", "shop", 500)


def test_a_posting_is_made_once_whatever_is_delivered_twice(books):
    assert books.post(PAID)
    assert not books.post(PAID)

    assert books.balances() == {"customer": -500, "shop": 500}
    assert books.postings() == [PAID]


def test_what_is_undone_is_undone_once(books):
    books.post(PAID)

    assert books.undo(PAID.name)
    assert not books.undo(PAID.name)

    assert books.balances() == {"customer": 0, "shop": 0}
    assert {posting.name for posting in books.postings()} == {"o1#charge", "o1#charge#undone"}


def test_what_was_never_done_is_not_undone(books):
    assert not books.undo(PAID.name)

    assert books.balances() == {}


@pytest.mark.parametrize("there", [0, 4])
def test_more_than_there_is_is_refused_and_nothing_is_written(books, there):
    if there:
        books.post(Posting("delivery", "supplier", "shelf", there))
    before = books.balances(), books.postings()

    with pytest.raises(OutOfStockError, match="shelf has less than 5"):
        books.post(Posting("o1#reserve", "shelf", "order", 5, covered=True))

    assert (books.balances(), books.postings()) == before


def test_what_is_covered_is_taken(books):
    books.post(Posting("delivery", "supplier", "shelf", 5))
    books.post(Posting("o1#reserve", "shelf", "order", 5, covered=True))

    assert books.balances() == {"supplier": -5, "shelf": 0, "order": 5}
