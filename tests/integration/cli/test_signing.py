"""What goes over the wire to the HTTP API. The signature is computed here once more, from the documentation alone."""

import hashlib
import hmac
import json
import re

import pytest

from tidemill.cli.account import AccountClients
from tidemill.cli.api import Address, SignedApi

ARGS = '{"name":"Ada"}'
SECRET = "testing"


@pytest.fixture
def override(deployed, monkeypatch):
    """A local cloud: one endpoint for everything."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", deployed.url)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)  # moto has put its own there
    return deployed


def submit(cli, *arguments):
    return cli("submit", "demo.greet", ARGS, "--json", *arguments)


def signature(path, headers, body, region="eu-central-1"):
    """AWS Signature Version 4 (IAM User Guide, "Create a signed AWS API request")."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=\w+/(?P<scope>[^,]+), SignedHeaders=(?P<names>[^,]+), Signature=(?P<sig>\w+)",
        headers["Authorization"],
    )
    lower = {name.lower(): value for name, value in headers.items()}
    names = found["names"].split(";")
    canonical = "".join(f"{name}:{lower[name]}\n" for name in names)
    request = "\n".join(("POST", path, "", canonical, found["names"], hashlib.sha256(body).hexdigest()))
    text = "\n".join(
        ("AWS4-HMAC-SHA256", lower["x-amz-date"], found["scope"], hashlib.sha256(request.encode()).hexdigest())
    )
    key = f"AWS4{SECRET}".encode()
    for part in (lower["x-amz-date"][:8], region, "execute-api", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return names, found["sig"], hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_the_signature_covers_host_time_and_body(override, cli):
    result = submit(cli)

    assert result.exit_code == 0, result.output
    ((path, headers, body),) = override.requests
    names, sent, computed = signature(path, headers, body)
    assert {"host", "x-amz-date", "content-type"} <= set(names)
    assert sent == computed
    # The check itself can fail: one other byte, another host.
    assert signature(path, headers, body + b" ")[2] != sent
    assert signature(path, {**headers, "Host": "evil"}, body)[2] != sent


def test_a_session_token_is_sent_and_signed(override, cli, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")

    submit(cli)

    ((path, headers, body),) = override.requests
    names, sent, computed = signature(path, headers, body)
    assert {name.lower(): value for name, value in headers.items()}["x-amz-security-token"] == "the-token"
    assert "x-amz-security-token" in names
    assert sent == computed


def test_the_region_signed_for_is_the_stacks(override, cli):
    result = cli("--region", "sa-east-1", "submit", "demo.greet", ARGS)

    assert result.exit_code == 0, result.output
    ((path, headers, body),) = override.requests
    _, sent, computed = signature(path, headers, body, "sa-east-1")
    assert sent == computed


def test_a_local_cloud_is_told_the_api_by_its_host(override, cli):
    submit(cli, "--key", "k")

    ((path, headers, body),) = override.requests
    assert (path, headers["Host"]) == ("/jobs", f"abc123.execute-api.localhost:{override.port}")
    assert json.loads(body) == {"kind": "demo.greet", "args": {"name": "Ada"}, "key": "k", "tenant": "default"}


def test_on_aws_the_api_is_called_where_it_is():
    address = Address.of("https://abc.execute-api.eu-central-1.amazonaws.com", "/jobs", None)

    assert address.url == "https://abc.execute-api.eu-central-1.amazonaws.com/jobs"
    assert address.host == "abc.execute-api.eu-central-1.amazonaws.com"


def test_a_proxy_is_not_asked_for_this_machine(override, cli, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "example.org")
    # botocore would use the proxy, so that only the API is called under it.
    api = SignedApi("https://abc123.execute-api.eu-central-1.amazonaws.com", AccountClients())

    assert api.post("/jobs", {})["id"] == "j"


@pytest.mark.parametrize(
    ("answer", "code", "name"),
    [
        ((403, {"message": "Forbidden"}), 3, "cannot_connect"),
        ((401, {"message": "Unauthorized"}), 3, "cannot_connect"),
        ((503, {"message": "Service Unavailable"}), 3, "unavailable"),
        ((429, {"message": "Too Many Requests"}), 3, "unavailable"),
        ((422, {"code": "key_conflict", "detail": "The key belongs to another job"}), 1, "key_conflict"),
        ((400, {"code": "malformed_body", "violations": [{"field": "body", "problem": "bad"}]}), 2, "malformed_body"),
        ((200, b"<html>a captive portal</html>"), 3, "cannot_connect"),
    ],
)
def test_what_the_api_answers_decides_the_exit(override, cli, answer, code, name):
    override.answer = answer

    result = submit(cli)

    assert (result.exit_code, json.loads(result.stderr)["code"]) == (code, name)
    assert result.stdout == ""


def test_an_api_that_does_not_answer(deployed, cli, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    result = submit(cli)

    assert result.exit_code == 3
    assert "http://127.0.0.1:1/jobs" in json.loads(result.stderr)["message"]
