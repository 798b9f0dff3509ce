"""The message that carries a job."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import NOW, OTHER_SEND_ID, a_send_id, an_envelope
from tidemill.domain import limits
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope, decode, is_envelope, parse_body
from tidemill.domain.errors import MalformedMessageError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.strict_json import dump_canonical

NUMBERS = st.integers(min_value=0, max_value=(1 << 53) - 1)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=limits.MAX_TRACE_CHARS)
TENANTS = st.from_regex(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{limits.MAX_TENANT_CHARS - 1}}}", fullmatch=True)
KEYS = st.from_regex(rf"[A-Za-z0-9._:/@+=,-]{{1,{limits.MAX_KEY_CHARS}}}", fullmatch=True)
PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
ARGS = st.dictionaries(st.text(), PLAIN | st.lists(PLAIN, max_size=3), max_size=4)


@st.composite
def envelopes(draw):
    args = dump_canonical(draw(ARGS), "args")
    return Envelope(
        send_id=a_send_id(draw(st.integers(0, 1 << 70))),
        ref=JobRef(draw(TENANTS), a_send_id(9)),
        kind=draw(st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z0-9]{1,20})?", fullmatch=True)),
        args=args,
        fingerprint=fingerprint_of(args),
        submitted_at=draw(NUMBERS),
        correlation_id=draw(TEXTS.filter(bool)),
        key=draw(st.none() | KEYS),
        generation=draw(st.integers(min_value=1, max_value=1 << 40)),
        not_before=draw(st.none() | NUMBERS),
        expires_at=draw(st.none() | NUMBERS),
        causation_id=draw(st.none() | TEXTS),
        traceparent=draw(st.none() | TEXTS),
        hops=draw(NUMBERS),
        entity=draw(st.none() | st.from_regex(rf"[!-~]{{1,{limits.MAX_ENTITY_CHARS}}}", fullmatch=True)),
        sequence=draw(st.none() | NUMBERS),
        scheduled_at=draw(st.none() | NUMBERS),
        version=draw(st.integers(1, limits.MAX_CONTRACT_VERSION)),
    )


def sqs_takes(character: str) -> bool:
    """The characters of the API Reference, SendMessage."""
    code = ord(character)
    return code in {0x9, 0xA, 0xD} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


@given(envelopes())
@example(
    an_envelope(
        args=b'{"a":"\xef\xbf\xbe\\\\\xef\xbf\xbf"}',
        fingerprint=fingerprint_of(b'{"a":"\xef\xbf\xbe\\\\\xef\xbf\xbf"}'),
    )
)
def test_decoding_what_was_encoded_gives_the_same_envelope_and_the_same_bytes(envelope):
    body = envelope.encode()

    assert decode(parse_body(body)) == envelope
    assert decode(parse_body(body)).encode() == body


@given(st.text())
@example('\ufffe\uffff\\\uffff\x00\x1f\x7f\U0010ffff"')
def test_a_body_holds_only_characters_that_sqs_takes(text):
    args = dump_canonical({"text": text, text: 1}, "args")
    body = an_envelope(args=args, fingerprint=fingerprint_of(args)).encode()

    assert all(map(sqs_takes, body))
    assert decode(parse_body(body)).args == args


def test_a_resend_is_the_same_job_under_another_send_id():
    envelope = an_envelope()

    assert replace(envelope.resend(OTHER_SEND_ID), send_id=envelope.send_id) == envelope
    assert envelope.resend(OTHER_SEND_ID).send_id == OTHER_SEND_ID


def a_document(**changes):
    document = json.loads(an_envelope(key="k", not_before=NOW, expires_at=NOW + 1).encode())
    document.update(changes)
    return {name: value for name, value in document.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"v": 2}, "v"),
        ({"v": "1"}, "v"),
        ({"v": ...}, "v"),
        ({"send_id": "x"}, "send_id"),
        ({"send_id": None}, "send_id"),
        ({"id": "0190A5C8-0000-7000-8000-000000000001"}, "id"),
        ({"id": ...}, "id"),
        ({"tenant": "a#b"}, "tenant"),
        ({"tenant": ...}, "tenant"),
        ({"kind": "No Kind"}, "kind"),
        ({"kind": ...}, "kind"),
        ({"args": {"name": "eve", "times": 1}}, "fingerprint"),
        ({"args": ...}, "fingerprint"),
        ({"fingerprint": "0" * 32}, "fingerprint"),
        ({"fingerprint": ...}, "fingerprint"),
        ({"fingerprint": 5}, "fingerprint"),
        ({"submitted_at": -1}, "submitted_at"),
        ({"submitted_at": 1.5}, "submitted_at"),
        ({"submitted_at": True}, "submitted_at"),
        ({"submitted_at": 1 << 53}, "submitted_at"),
        ({"submitted_at": "1"}, "submitted_at"),
        ({"submitted_at": ...}, "submitted_at"),
        ({"generation": None}, "generation"),
        ({"hops": []}, "hops"),
        ({"not_before": "soon"}, "not_before"),
        ({"expires_at": -1}, "expires_at"),
        ({"key": 5}, "key"),
        ({"key": "k" * (limits.MAX_KEY_CHARS + 1)}, "key"),
        ({"key": "a b"}, "key"),
        ({"correlation_id": "ü"}, "correlation_id"),
        ({"causation_id": "x" * (limits.MAX_TRACE_CHARS + 1)}, "causation_id"),
        ({"correlation_id": {}}, "correlation_id"),
        ({"causation_id": 1}, "causation_id"),
        ({"traceparent": ["x"]}, "traceparent"),
    ],
)
def test_an_envelope_that_is_not_whole_is_refused_and_the_field_is_named(changes, field):
    with pytest.raises(MalformedMessageError) as refused:
        decode(a_document(**changes))

    assert [violation.field for violation in refused.value.violations] == [field]


def test_a_refusal_of_changed_arguments_never_quotes_them():
    with pytest.raises(MalformedMessageError) as refused:
        decode(a_document(args={"name": "secret-value"}))

    assert "secret-value" not in str(refused.value)


def test_a_field_of_a_newer_writer_is_ignored():
    assert decode(a_document(since_v2=True)) == decode(a_document())


def test_without_a_correlation_of_its_own_a_job_correlates_with_itself():
    assert decode(a_document(correlation_id=...)).correlation_id == an_envelope().ref.id


@pytest.mark.parametrize("document", [[], "x", 1, None, {"kind": "a", "args": {}}])
def test_a_plain_message_is_no_envelope(document):
    assert not is_envelope(document)


@pytest.mark.parametrize("body", ["", "x", "{", '{"a":1,"a":2}', "[" * 100_000, '"\\ud800"', "NaN"])
def test_a_body_that_is_no_strict_json_is_malformed(body):
    with pytest.raises(MalformedMessageError) as refused:
        parse_body(body)

    assert refused.value.violations[0].field == "body"


@pytest.mark.parametrize(("state", "owns"), [(State.QUEUED, False), (State.SCHEDULED, True)])
def test_the_record_of_an_envelope_waits_for_its_first_claim(state, owns):
    envelope = an_envelope(key="k", not_before=NOW + 5, expires_at=NOW + 9, generation=3)

    record = envelope.record("bulk", state, 77)

    assert (record.ref, record.kind, record.fingerprint) == (envelope.ref, envelope.kind, envelope.fingerprint)
    assert (record.lane, record.state, record.ttl_s, record.owns_args) == ("bulk", state, 77, owns)
    assert (record.key, record.claimable_at, record.expires_at, record.generation) == ("k", NOW + 5, NOW + 9, 3)
    assert (record.attempt, record.fence, record.held) == (0, 0, None)
    assert an_envelope().record("bulk", state, 77).claimable_at == 0
