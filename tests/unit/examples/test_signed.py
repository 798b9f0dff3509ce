"""Signed requests, as far as they can be seen without a server."""

import json
from io import BytesIO
from urllib.error import HTTPError

import pytest
from botocore.credentials import Credentials

from examples.demo import signed
from examples.demo.signed import SignedApi

API = SignedApi("https://abc.execute-api.eu-central-1.amazonaws.com", Credentials("AKIA", "secret"), "eu-central-1")


@pytest.fixture
def sent(monkeypatch):
    requests = []

    def urlopen(request, timeout):
        requests.append(request)
        raise HTTPError(request.full_url, 422, "refused", {}, BytesIO(b'{"code": "unknown_kind"}'))

    monkeypatch.setattr(signed, "urlopen", urlopen)
    return requests


def test_a_document_is_posted_under_a_signature(sent):
    answer = API.post("/jobs", {"kind": "demo.ping"})

    (request,) = sent
    assert (request.method, request.full_url, json.loads(request.data)) == (
        "POST",
        f"{API.url}/jobs",
        {"kind": "demo.ping"},
    )
    assert "/eu-central-1/execute-api/aws4_request" in request.get_header("Authorization")
    assert (answer.status, answer.body) == (422, {"code": "unknown_kind"})


def test_an_unsigned_request_has_no_signature(sent):
    API.post("/jobs", {}, sign=False)

    assert sent[0].get_header("Authorization") is None
