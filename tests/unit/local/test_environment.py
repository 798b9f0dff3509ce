import os

from tidemill.local.environment import child_environment, client_variables, server_environment

PARENT = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ACCESS_KEY_ID": "real",
    "AWS_ENDPOINT_URL_SQS": "https://elsewhere.example",
    "NO_PROXY": "internal.example",
    "PYTHONPATH": "/somewhere",
}


def test_a_child_never_sees_a_real_account():
    child = child_environment(PARENT, 4566)

    assert {name: value for name, value in child.items() if name.startswith("AWS_")} == {
        **client_variables(4566),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    assert "real" not in child.values()


def test_a_proxy_is_not_asked_for_this_machine():
    child = child_environment(PARENT, 4566)

    assert child["NO_PROXY"] == child["no_proxy"] == "internal.example,127.0.0.1,localhost"


def test_a_child_keeps_the_rest():
    assert child_environment(PARENT, 4566)["PATH"] == "/bin"


def test_clients_are_pointed_at_loopback():
    variables = client_variables(4566)

    assert variables["AWS_ENDPOINT_URL"] == variables["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:4566"


def test_the_server_listens_on_loopback_only_and_inherits_next_to_nothing():
    server = server_environment(PARENT, 4566, "/scratch")

    assert server["BIND_HOST"] == "127.0.0.1"
    assert server["GATEWAY_PORT"] == "4566"
    assert server["TMPDIR"] == "/scratch"
    assert server["IOT_MTLS_ENABLED"] == server["SFTP_ENABLED"] == "0"
    assert {name for name in server if name in PARENT} == {"PATH", "HOME"}
