"""The evidence of a failed attempt."""

from collections.abc import Callable

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
