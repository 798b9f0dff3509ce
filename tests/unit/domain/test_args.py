"""The arguments model: strict at the door, tolerant in the worker."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ConfigDict, Field, ValidationError, field_serializer

from tests.builders import an_envelope
from tidemill import JobArgs
from tidemill.domain import limits
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import DefinitionError, InputError, InvalidArgsError


class Size(JobArgs):
    height: int = Field(ge=16)


class Photo(JobArgs, kind="test.photo", aliases=("test.picture", "old-photo")):
    bucket: str
    width: int = Field(ge=16, le=4096)
    size: Size | None = None


class Anything(JobArgs, kind="test.anything"):
    value: Any = None


def test_a_model_names_its_kind_and_its_aliases():
    assert (Photo.job_kind, Photo.job_aliases) == ("test.photo", ("test.picture", "old-photo"))


@pytest.mark.parametrize("words", [{"kind": "Bad Kind"}, {"kind": "ok", "aliases": ("no way",)}])
def test_an_ill_formed_kind_or_alias_is_refused_when_the_class_is_made(words):
    with pytest.raises(DefinitionError, match="Broken"):
        type("Broken", (JobArgs,), {}, **words)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"bucket": "b"}, "args.width"),
        ({"bucket": "b", "width": "320"}, "args.width"),
        ({"bucket": "b", "width": 320.0}, "args.width"),
        ({"bucket": "b", "width": True}, "args.width"),
        ({"bucket": "b", "width": 15}, "args.width"),
        ({"bucket": 5, "width": 320}, "args.bucket"),
        ({"bucket": "b", "width": 320, "extra": 1}, "args.extra"),
        ({"bucket": "b", "width": 320, "size": {"height": 1}}, "args.size.height"),
        ({"bucket": "b", "width": 320, "size": {"height": 16, "more": 1}}, "args.size.more"),
        ([], "args"),
        (None, "args"),
    ],
)
def test_a_submitters_document_is_checked_strictly_and_each_bad_field_is_named(document, field):
    with pytest.raises(InvalidArgsError) as refused:
        Photo.from_input(document)

    assert field in [violation.field for violation in refused.value.violations]


def test_every_bad_field_is_named_at_once():
    with pytest.raises(InvalidArgsError) as refused:
        Photo.from_input({"width": 1, "extra": 1})

    assert {v.field for v in refused.value.violations} == {"args.bucket", "args.width", "args.extra"}


def test_a_refusal_never_quotes_the_value():
    with pytest.raises(InvalidArgsError) as refused:
        Photo.from_input({"bucket": "b", "width": "secret-value"})

    assert "secret-value" not in str(refused.value)


def test_a_worker_ignores_fields_it_does_not_know_yet():
    args = Photo.from_message(b'{"bucket":"b","width":320,"since_v2":true,"size":{"height":20,"depth":1}}', 1)

    assert args == Photo(bucket="b", width=320, size=Size(height=20))


def test_a_worker_refuses_bytes_that_no_longer_fit():
    with pytest.raises(InvalidArgsError):
        Photo.from_message(b'{"bucket":"b"}', 1)


def test_args_are_frozen():
    with pytest.raises(ValidationError):
        Photo(bucket="b", width=320).width = 5


def test_equal_arguments_have_equal_fingerprints_whatever_the_order_of_keys():
    one = Photo.from_input({"bucket": "ü", "width": 320})
    two = Photo.from_input({"width": 320, "bucket": "ü"})

    assert one.canonical() == two.canonical() == '{"bucket":"ü","size":null,"width":320}'.encode()
    assert fingerprint_of(one.canonical()) == fingerprint_of(two.canonical())
    assert fingerprint_of(one.canonical()) != fingerprint_of(Photo(bucket="ü", width=321).canonical())


def test_a_fingerprint_is_128_bits_of_sha256_for_ever():
    assert fingerprint_of(b"{}") == "44136fa355b3678a1146ad16f7e8649e"


def test_rich_types_survive_the_way_to_the_worker():
    class Rich(JobArgs, kind="test.rich"):
        at: datetime
        price: Decimal
        tags: frozenset[str]
        pair: tuple[int, str]

    args = Rich(at=datetime(2026, 1, 1, tzinfo=UTC), price=Decimal("1.10"), tags=frozenset({"x"}), pair=(1, "a"))

    assert Rich.from_message(args.canonical(), 1) == args


def test_args_up_to_the_limit_are_taken_and_one_byte_more_is_not():
    overhead = len(Anything(value="").canonical())
    longest = limits.MAX_PAYLOAD_BYTES - overhead

    assert len(Anything(value="x" * longest).canonical()) == limits.MAX_PAYLOAD_BYTES
    for value in ("x" * (longest + 1), "ü" * (longest // 2 + 1)):
        with pytest.raises(InvalidArgsError, match="S3"):
            Anything(value=value).canonical()


def levels(count: int) -> object:
    value: object = 1
    for _ in range(count):
        value = [value]
    return value


def test_what_a_submit_accepts_the_worker_can_read():
    # The root of the arguments is a level of its own, and so is the envelope around them.
    deepest = Anything(value=levels(limits.MAX_ARGS_DEPTH - 1)).canonical()
    envelope = an_envelope(args=deepest, fingerprint=fingerprint_of(deepest))

    assert decode(parse_body(envelope.encode())) == envelope


@pytest.mark.parametrize("depth", [limits.MAX_ARGS_DEPTH, 500, 100_000])
def test_args_deeper_than_a_worker_reads_are_refused_at_submit(depth):
    with pytest.raises(InputError) as refused:
        Anything(value=levels(depth)).canonical()

    assert refused.value.violations[0].field == "args"


class Stubborn(JobArgs, kind="test.stubborn"):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    name: str = "x"

    @field_serializer("name")
    def _explode(self, _: str) -> str:
        raise LookupError("no")


@pytest.mark.parametrize(
    "args",
    [
        Anything(value=object()),
        Anything(value=b"\xff"),
        Anything(value=float("nan")),
        Anything(value="\ud800"),
        Stubborn(),
    ],
    ids=["object", "bytes", "nan", "surrogate", "serializer"],
)
def test_args_that_json_cannot_carry_are_bad_input_and_no_crash(args):
    with pytest.raises(InputError) as refused:
        args.canonical()

    assert refused.value.violations[0].field == "args"
