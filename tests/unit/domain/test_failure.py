"""The evidence of a failed attempt."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.failure import failure_of, refusal_of


def raised(error: BaseException) -> BaseException:
    def here() -> None:
        raise error

    return caught(here)


def elsewhere(error: BaseException) -> BaseException:
    def there() -> None:
        raise error

    return caught(there)


def caught(call: Callable[[], None]) -> BaseException:
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - the point is its traceback
        return error
    raise AssertionError


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text today")


def test_the_evidence_names_type_text_and_place():
    failure = failure_of("k", raised(ValueError("no luck")))

    assert (failure.type, failure.message) == ("ValueError", "no luck")
    assert "in here" in failure.trace


def test_failures_that_differ_in_numbers_and_ids_only_are_one_group():
    one = failure_of("k", raised(ValueError("order 17 at 0x7f00 of deadbeefcafe")))
    two = failure_of("k", raised(ValueError("order 9999 at 0x7f11 of 0123456789ab")))

    assert one.fingerprint == two.fingerprint


def test_kind_type_place_and_wording_each_open_a_group():
    groups = {
        failure_of("k", raised(ValueError("a"))).fingerprint,
        failure_of("other", raised(ValueError("a"))).fingerprint,
        failure_of("k", raised(KeyError("a"))).fingerprint,
        failure_of("k", raised(ValueError("b"))).fingerprint,
        failure_of("k", elsewhere(ValueError("a"))).fingerprint,
    }

    assert len(groups) == 5


def test_long_and_broken_texts_stay_within_their_bounds():
    failure = failure_of("k", raised(ValueError("ü\ud800" * 100_000)))

    assert len(failure.message) == limits.MAX_ERROR_MESSAGE_CHARS
    assert len(failure.trace) <= limits.MAX_TRACEBACK_CHARS
    assert (failure.message + failure.trace).encode("utf-8")


def test_an_exception_that_cannot_say_its_text_still_leaves_evidence():
    failure = failure_of("k", raised(UnprintableError()))

    assert failure.type.endswith("UnprintableError")
    assert "can't be read" in failure.message


def test_a_refusal_is_grouped_by_its_fields_and_has_no_traceback():
    one = refusal_of("k", InputError.at("args.width", "is 1"))
    two = refusal_of("k", InputError.at("args.width", "is 2"))
    other = refusal_of("k", InputError.at("args.height", "is 2"))

    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert (one.type, one.trace) == ("InputError", "")


def leaves_nothing_of(secret: str, error: BaseException) -> bool:
    failure = failure_of("k", raised(error), [secret])
    return secret not in failure.message and secret not in failure.trace


def from_another(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def while_handling(error: BaseException, context: BaseException) -> BaseException:
    error.__context__ = context
    return error


def noted(error: BaseException, note: str) -> BaseException:
    error.add_note(note)
    return error


def refused(value: object, model: object = int) -> ValidationError:
    try:
        TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        return error
    raise AssertionError


SECRETS = st.text(alphabet="BCGJKQVWXZ?/ 'ü%\\\n", min_size=6, max_size=700).filter(lambda text: text.strip() == text)


@given(SECRETS, st.text(max_size=600), st.text(max_size=20))
@settings(deadline=None)  # a busy machine is no error
def test_no_argument_is_left_wherever_an_error_says_it(secret, before, after):
    words = f"{before}{secret}{after}"

    for error in (
        ValueError(words),
        KeyError(words),
        ValueError({"k": [words]}),
        from_another(ValueError("outer"), KeyError(words)),
        while_handling(ValueError("outer"), ValueError(words)),
        noted(ValueError("outer"), words),
        ExceptionGroup("outer", [ValueError(words), ExceptionGroup(words, [KeyError(words)])]),
        refused(words),
        ValueError(str(refused(words))),
    ):
        assert leaves_nothing_of(secret, error)


def test_a_secret_at_the_edge_of_what_is_kept_leaves_no_beginning():
    secret = "Q" * 30

    for at in range(limits.MAX_ERROR_MESSAGE_CHARS - 40, limits.MAX_ERROR_MESSAGE_CHARS + 1):
        error = noted(raised(ValueError("x" * at + secret)), "x" * at + secret)
        failure = failure_of("k", error, [secret])
        assert "QQ" not in failure.message + failure.trace


def test_failures_that_differ_in_their_arguments_only_are_one_group():
    one = failure_of("k", raised(ValueError("no user Ada Lovelace")), ["Ada Lovelace"])
    two = failure_of("k", raised(ValueError("no user Grace Hopper")), ["Grace Hopper"])

    assert (one.message, one.fingerprint) == ("no user [hidden]", two.fingerprint)
    assert one.fingerprint != failure_of("k", raised(ValueError("no user Ada Lovelace"))).fingerprint


def test_pydantics_errors_say_where_and_what_but_not_with_which_input():
    failure = failure_of("k", raised(refused({"a": "QVXZ", "b": [1, "QVXZ"]}, dict[str, list[int]])))

    assert failure.message.splitlines()[0] == "2 validation errors for dict[str,list[int]]"
    assert "a: Input should be a valid list [list_type]" in failure.message
    assert "b.1: Input should be a valid integer" in failure.message
    assert "QVXZ" not in failure.message + failure.trace
    assert failure_of("k", raised(refused("QVXZ"))).message.splitlines()[1].startswith("(whole): Input should be")


@pytest.mark.parametrize("value", ["QVXZ", "QVXZ, input_type=str]", "QVXZ\n, input_type=", b"QVXZ", ["QVXZ"] * 9])
def test_an_input_that_pydantic_quoted_in_anothers_words_is_cut_out(value):
    failure = failure_of("k", raised(RuntimeError(f"refused: {refused(value)}")))

    assert "QVXZ" not in failure.message + failure.trace
    assert "input_value=[hidden], input_type=" in failure.message


def test_the_trace_tells_the_chain_as_python_does():
    inner, outer = raised(KeyError("a")), elsewhere(ValueError("b"))
    from_cause = failure_of("k", from_another(outer, inner)).trace
    outer.__cause__, outer.__suppress_context__ = None, False
    in_context = failure_of("k", while_handling(outer, inner)).trace
    outer.__suppress_context__ = True
    alone = failure_of("k", outer).trace

    assert from_cause.index("in here") < from_cause.index("KeyError: 'a'") < from_cause.index("direct cause")
    assert from_cause.index("direct cause") < from_cause.index("in there") < from_cause.index("ValueError: b")
    assert "During handling of the above" in in_context
    assert "KeyError" not in alone


def test_a_chain_that_bites_its_tail_and_one_without_end_are_told_in_bounds():
    error = ValueError("x")
    assert failure_of("k", while_handling(error, error)).trace.count("ValueError: x") == 1

    for _ in range(5_000):
        error = while_handling(ValueError("x"), error)
    assert 1 < failure_of("k", error).trace.count("ValueError: x") < 20
    group: BaseException = ValueError("x")
    for _ in range(2_000):
        group = ExceptionGroup("g", [group])
    assert "ExceptionGroup: g" in failure_of("k", group).trace


def test_a_long_message_leaves_room_for_the_place():
    failure = failure_of("k", raised(ValueError("x" * 100_000)))

    assert "in here" in failure.trace


class BadNotesError(Exception):
    __notes__ = (UnprintableError(),)


def test_notes_that_cannot_be_read_still_leave_evidence():
    assert failure_of("k", BadNotesError("what")).message == "what"
    assert "can't be read" in failure_of("k", BadNotesError("what")).trace


def test_a_refusal_hides_too():
    refusal = refusal_of("k", InputError.at("args.name", "'Ada Lovelace' is no name"), ["Ada Lovelace"])

    assert refusal.message == "args.name: '[hidden]' is no name"
