"""What may be replayed: names, spans, subscribers."""

from datetime import timedelta

import pytest

from tidemill.domain.replay import Archive, ReplayState, Subscriber, check_kept, check_replay_name, check_span, chosen
from tidemill.errors import InputError

NOW = 1_800_000_000_000
SETTLED = timedelta(minutes=10)
COUNT, THANK = Subscriber("shop.count", "order.placed", "r0"), Subscriber("shop.thank", "order.shipped", "r1")
BOTH = Subscriber("shop.count", "order.shipped", "r2")


def ago(seconds):
    return NOW - round(seconds * 1_000)


@pytest.mark.parametrize("name", ["a", "2026-11-28_again.1", "x" * 64])
def test_names_that_eventbridge_takes(name):
    assert check_replay_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 65, "two words", "a/b", "a#b", "grün", None, 7])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="name: "):
        check_replay_name(name)


def test_a_span_is_widened_to_whole_seconds():
    assert check_span(ago(1_000.7), ago(900.2), now=NOW, settled=SETTLED) == (ago(1_001), ago(900))
    assert check_span(ago(901), ago(600), now=NOW, settled=SETTLED) == (ago(901), ago(600))


@pytest.mark.parametrize(("since", "until"), [(900, 900), (900, 901)])
def test_an_empty_span_is_refused(since, until):
    with pytest.raises(InputError, match="since: must be before"):
        check_span(ago(since), ago(until), now=NOW, settled=SETTLED)


def test_what_the_archive_may_lack_is_refused():
    with pytest.raises(InputError, match="until: must be at least 600 seconds ago"):
        check_span(ago(900), ago(599.999), now=NOW, settled=SETTLED)


def test_what_the_archive_no_longer_has_is_refused():
    month = Archive("facts", timedelta(days=30))

    check_kept(ago(30 * 86_400), month, now=NOW)
    check_kept(0, Archive("facts"), now=NOW)
    with pytest.raises(InputError, match="since: is over 30 days ago, and archive 'facts' keeps no longer"):
        check_kept(ago(30 * 86_400 + 1), month, now=NOW)


def test_subscribers_are_chosen_by_kind_and_event():
    known = [COUNT, BOTH, THANK]

    assert chosen(known, ["shop.count"], None) == (COUNT, BOTH)
    assert chosen(known, ["shop.count", "shop.thank"], "order.shipped") == (BOTH, THANK)


def test_who_hears_nothing_is_named_with_those_who_do():
    with pytest.raises(InputError, match=r"shop\.thank hears nothing of order\.placed; who does: shop\.count"):
        chosen([COUNT, BOTH, THANK], ["shop.count", "shop.thank"], "order.placed")
    with pytest.raises(InputError, match="who does: nobody"):
        chosen([], ["shop.count"], None)
    with pytest.raises(InputError, match="at least one kind"):
        chosen([COUNT], [], None)


def test_which_states_are_the_last():
    assert {state for state in ReplayState if state.is_final} == {"completed", "cancelled", "failed"}
