import pytest

from tidemill.local.addresses import local_address

HERE = "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://1a2b3c4d.execute-api.localhost:4566", f"{HERE}/_aws/execute-api/1a2b3c4d/$default"),
        ("https://1a2b3c4d.execute-api.us-east-1.amazonaws.com/", f"{HERE}/_aws/execute-api/1a2b3c4d/$default"),
        ("http://1a2b3c4d.execute-api.localhost:4566/jobs", f"{HERE}/_aws/execute-api/1a2b3c4d/$default/jobs"),
        ("http://localhost:4566/000000000000/queue", "http://localhost:4566/000000000000/queue"),
        ("a table", "a table"),
        ("", ""),
    ],
)
def test_an_api_gets_an_address_that_resolves(value, expected):
    assert local_address(value, HERE) == expected
