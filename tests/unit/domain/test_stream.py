"""What a stream is declared with, and what it refuses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from tests.streams import Account, Moved, Opened, Strange, a_fact, account, apply
from tidemill.domain import limits, stream_limits
from tidemill.domain.classify import Classification, FailureClass, classify
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.event import Event
from tidemill.domain.store_errors import UnknownEventError
from tidemill.domain.stream import Stream, StreamRef, check_events


class Thawed(BaseModel):
    cents: int = 0


class Unnamed(Event):
    cents: int


class Renamed(Moved):
    """A child of an event has no type of its own."""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"category": "Account"}, "lower-case"),
        ({"category": "account/7"}, "lower-case"),
        ({"events": []}, "no events"),
        ({"events": 5}, "Fix"),
        ({"events": [Opened, Unnamed]}, "is no event"),
        ({"events": [Opened, Renamed]}, "is no event"),
        ({"events": [Opened, Opened]}, "two events"),
        ({"events": [Account]}, "is no event"),
        ({"start": Thawed()}, "frozen"),
        ({"start": Account}, "frozen"),
        ({"snapshot_every": 5}, "10 to 10000"),
        ({"snapshot_every": True}, "whole number"),
        ({"schema": 0}, "1 to"),
    ],
)
def test_a_wrong_declaration_says_what_to_do(wrong, says):
    right = {"category": "account", "events": [Opened, Moved], "start": Account(), "apply": apply}
    with pytest.raises(DefinitionError, match=r"Fix|lower-case") as refused:
        Stream(**{**right, **wrong})
    assert says in str(refused.value)


def test_facts_add_up_to_a_state():
    facts = [a_fact(1, type="account.opened", data=b'{"owner":"ada"}'), a_fact(2), a_fact(3)]

    assert account.fold(account.start, facts) == Account(owner="ada", cents=5, moves=2)


def test_an_event_of_another_stream_is_refused():
    with pytest.raises(UnknownEventError, match=r"account\.opened, account\.moved") as made:
        account.check(Strange(cents=1))
    with pytest.raises(UnknownEventError):
        account.check("account.moved")
    with pytest.raises(UnknownEventError) as stored:
        account.event_of(a_fact(1, type="account.strange"))
    assert (made.value.is_stored, stored.value.is_stored) == (False, True)


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (lambda: account.event_of(replace(a_fact(1), version=2)), Classification(FailureClass.UNAVAILABLE)),
        (lambda: account.event_of(a_fact(1, type="account.strange")), Classification(FailureClass.UNAVAILABLE)),
        # What the job itself made is its own mistake.
        (lambda: account.check(Strange(cents=1)), Classification(FailureClass.TRANSIENT, deterministic=True)),
        (lambda: account.event_of(a_fact(1, data=b"{}")), Classification(FailureClass.TRANSIENT, deterministic=True)),
    ],
    ids=["a newer version", "a newer type", "an event of another stream", "data that do not fit"],
)
def test_a_job_that_meets_what_newer_code_appended_waits_for_it(failing, expected):
    with pytest.raises(InputError) as raised:
        failing()

    assert classify(raised.value, datetime(2026, 11, 22, tzinfo=UTC)) == expected


def test_a_newer_field_of_a_fact_is_ignored():
    assert account.event_of(a_fact(1, data=b'{"cents":5,"note":"new"}')) == Moved(cents=5)


def test_a_state_is_written_and_read_and_bytes_that_do_not_fit_count_for_nothing():
    state = Account(owner="Zoë", cents=5)

    assert account.read(account.write(state)) == state
    assert account.read(b'{"cents":"many"}') is None
    assert account.read(b"no json") is None


def test_a_state_has_the_model_of_its_start_and_a_limit():
    with pytest.raises(InputError, match="apply answered Thawed"):
        account.write(Thawed())
    with pytest.raises(InputError, match="read model"):
        account.write(Account(owner="x" * stream_limits.MAX_STATE_BYTES))


@pytest.mark.parametrize(
    "names", [("acme", "account", ""), ("acme", "account", "a b"), ("acme", "Acc", "7"), ("", "account", "7")]
)
def test_an_ill_formed_name_is_no_stream(names):
    with pytest.raises(InputError):
        StreamRef(*names)


def test_a_subject_names_its_stream():
    assert StreamRef.of("acme", "account/7/savings") == StreamRef("acme", "account", "7/savings")
    assert StreamRef("acme", "account", "7").subject == "account/7"
    with pytest.raises(InputError):
        StreamRef.of("acme", "account")


@pytest.mark.parametrize(("count", "size"), [(0, 0), (stream_limits.MAX_APPEND_EVENTS + 1, 1), (10, 110_000)])
def test_an_append_has_limits(count, size):
    with pytest.raises(InputError, match="events"):
        check_events([size] * count, 0)


def test_what_is_beside_an_append_counts_too():
    check_events([1] * 40, 60)
    with pytest.raises(InputError, match="beside"):
        check_events([1] * 40, 61)


def test_the_longest_name_still_fits_a_subject():
    longest = StreamRef("t", "c" * stream_limits.MAX_CATEGORY_CHARS, "k" * stream_limits.MAX_STREAM_KEY_CHARS).subject

    assert len(longest) == limits.MAX_ENTITY_CHARS
