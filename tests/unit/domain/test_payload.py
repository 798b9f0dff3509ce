"""The claim check: receipts, names, and messages that forge them."""

import json

import pytest

from tests.builders import REF, an_envelope, some_args
from tidemill.domain import limits
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import decode
from tidemill.domain.errors import IntegrityError, MalformedMessageError
from tidemill.domain.payload import Stored, check_name, checked_in, has_own_life, result_name

LARGE = b'"%s"' % (b"x" * limits.MAX_ARGS_BYTES)


def stored_envelope():
    inline, stored = checked_in(LARGE)
    return an_envelope(args=inline, fingerprint=fingerprint_of(LARGE), stored=stored)


def forged(**changes):
    document = json.loads(stored_envelope().encode())
    receipt = {**document["stored"], **changes.pop("stored", {})}
    return {**document, "stored": receipt, **changes}


@pytest.mark.parametrize("size", [2, 1_000, limits.MAX_ARGS_BYTES])
def test_arguments_up_to_the_limit_travel_in_the_message(size):
    canonical = b'"%s"' % (b"x" * (size - 2))

    assert checked_in(canonical) == (canonical, None)


def test_one_byte_more_is_stored_under_its_fingerprint():
    canonical = b'"%s"' % (b"x" * (limits.MAX_ARGS_BYTES - 1))

    inline, stored = checked_in(canonical)

    assert inline == b""
    assert stored.name == f"args/{fingerprint_of(canonical)}"
    assert (stored.size, stored.check(canonical)) == (limits.MAX_ARGS_BYTES + 1, canonical)


@pytest.mark.parametrize("other", [LARGE[:-1], LARGE + b" ", LARGE.replace(b"x", b"y", 1), b""])
def test_other_bytes_are_not_what_was_stored(other):
    _, stored = checked_in(LARGE)

    with pytest.raises(IntegrityError, match="Fix: "):
        stored.check(other)


def test_an_envelope_with_a_receipt_is_small_and_reads_back():
    envelope = stored_envelope()

    assert len(envelope.encode()) < 1_000
    assert decode(json.loads(envelope.encode())) == envelope


FOREIGN = "f" * 32


@pytest.mark.parametrize(
    ("field", "document"),
    [
        ("stored.name", forged(stored={"name": f"args/{FOREIGN}"})),
        ("stored.name", forged(stored={"name": "result/1"})),
        ("stored.name", forged(stored={"name": "step/1/1"})),
        ("stored.name", forged(stored={"name": f"../other/args/{fingerprint_of(LARGE)}"})),
        ("stored.name", forged(stored={"name": f"args/{fingerprint_of(LARGE)}/"})),
        ("stored.name", forged(stored={"name": f"args/{fingerprint_of(LARGE)}\n"})),
        ("stored.name", forged(stored={"name": None})),
        ("stored.name", forged(stored={"name": ["args"]})),
        ("stored.name", forged(fingerprint=FOREIGN)),
        ("stored.sha256", forged(stored={"sha256": "0" * 64})),
        ("stored.sha256", forged(stored={"sha256": fingerprint_of(LARGE)})),
        ("stored.sha256", forged(stored={"sha256": fingerprint_of(LARGE) + "A" * 32})),
        ("stored.sha256", forged(stored={"sha256": 7})),
        ("stored.size", forged(stored={"size": 0})),
        ("stored.size", forged(stored={"size": -1})),
        ("stored.size", forged(stored={"size": True})),
        ("stored.size", forged(stored={"size": 1.5})),
        ("stored.size", forged(stored={"size": "9"})),
        ("stored.size", forged(stored={"size": limits.MAX_PAYLOAD_BYTES + 1})),
        ("stored", forged(stored={"bucket": "somebody-elses"})),
        ("stored", forged() | {"stored": "args/x"}),
        ("stored", forged() | {"stored": []}),
        ("stored", forged() | {"stored": {}}),
        ("stored", forged(args={"name": "ada"})),
        ("fingerprint", forged(fingerprint="../../x")),
        ("tenant", forged(tenant="../other")),
        ("tenant", forged(tenant="a/b")),
        ("id", forged(id=f"{REF.id}/../x")),
    ],
)
def test_a_message_can_name_nothing_but_its_own_arguments(field, document):
    with pytest.raises(MalformedMessageError) as refused:
        decode(document)

    assert [violation.field for violation in refused.value.violations] == [field]


def test_without_receipt_and_arguments_there_is_no_message():
    document = forged()
    del document["stored"]

    with pytest.raises(MalformedMessageError):
        decode(document)


@pytest.mark.parametrize("name", [f"args/{FOREIGN}", "step/3/12", "result/9", result_name(4)])
def test_what_stored_bytes_are_called(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "x",
            "args/",
            "args/..",
            f"args/{FOREIGN}/..",
            f"args/{FOREIGN}\n",
            f"ARGS/{FOREIGN}",
            f"args/{'f' * 31}",
        ),
        *("step/1", "result/", "result/1/2", "result/-1", "result/¹", "../result/1", "/result/1", "result/1%2f.."),
    ],
)
def test_and_what_they_are_not(name):
    with pytest.raises(IntegrityError):
        check_name(name)


def test_only_a_result_has_a_life_of_its_own():
    assert has_own_life("result/1")
    assert not has_own_life(f"args/{FOREIGN}")
    assert not has_own_life("step/1/1")


def test_small_arguments_make_the_message_that_they_always_made():
    small = an_envelope(args=some_args())

    assert "stored" not in json.loads(small.encode())
    assert isinstance(Stored.of("result/1", b"1").sha256, str)


def test_equal_arguments_have_one_name_and_other_ones_another():
    names = {checked_in(b'"%s"' % (letter * limits.MAX_ARGS_BYTES))[1].name for letter in (b"a", b"b", b"a")}

    assert len(names) == 2
