"""The events are what AWS would send: a wrong example would prove a wrong handler."""

import hashlib
import json
from pathlib import Path

import pytest

from tidemill.domain.envelope import decode, is_envelope
from tidemill.domain.errors import MalformedMessageError

EVENTS = sorted((Path(__file__).parents[3] / "events").glob("*.json"))
# The one whose fingerprint is wrong on purpose, and the one that only claims to be an envelope.
BROKEN = {("worker_batch", 2), ("worker_refused", 8)}


def records(prefix):
    return [
        pytest.param(record, (path.stem, index), id=f"{path.stem}-{index}")
        for path in EVENTS
        if path.stem.startswith(prefix)
        for index, record in enumerate(json.loads(path.read_text())["Records"])
    ]


def test_every_function_has_events(repository):
    functions = {path.parent.name for path in (repository / "functions").glob("*/handler.py")}

    assert {path.stem.partition("_")[0] for path in EVENTS} == functions


@pytest.mark.parametrize(("record", "place"), records("worker"))
def test_a_record_has_the_digest_of_its_body(record, place):
    assert hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]


@pytest.mark.parametrize(("record", "place"), records("worker"))
def test_an_envelope_is_whole_unless_it_is_broken_on_purpose(record, place):
    try:
        document = json.loads(record["body"])
    except ValueError:
        document = None
    if not is_envelope(document):
        return
    if place in BROKEN:
        with pytest.raises(MalformedMessageError):
            decode(document)
    else:
        assert decode(document).encode() == record["body"]


@pytest.mark.parametrize("path", [path for path in EVENTS if path.stem.startswith("api")], ids=lambda path: path.stem)
def test_a_request_says_the_same_everywhere(path):
    event = json.loads(path.read_text())
    http = event["requestContext"]["http"]

    assert event["version"] == "2.0"
    assert event["requestContext"]["authorizer"]["iam"]["userArn"].startswith("arn:aws:iam::")
    assert http["path"] == event["rawPath"]
    assert event["routeKey"] == event["requestContext"]["routeKey"]
    assert event["routeKey"].startswith(http["method"])
    assert event["headers"]["content-length"] == str(len(event.get("body", "").encode()))
