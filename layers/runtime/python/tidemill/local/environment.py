"""The variables that make any AWS program speak to the local cloud, and only to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

HOST: Final = "127.0.0.1"
REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"  # MiniStack's account for credentials that name none


def endpoint(port: int) -> str:
    """Where the local cloud on this port answers."""
    return f"http://{HOST}:{port}"


def client_variables(port: int) -> dict[str, str]:
    """What a shell exports, a test sets and a boto3 session reads. The credentials are fake on purpose."""
    return {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_ENDPOINT_URL_S3": endpoint(port),
        "AWS_ACCESS_KEY_ID": "test",  # the one key that MiniStack knows by itself: HTTP APIs vouch for no other
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def child_environment(parent: Mapping[str, str], port: int) -> dict[str, str]:
    """The environment for a program that works with the local cloud.

    Every AWS variable of the parent is dropped, profiles and credentials first of all: nothing that is started here
    may reach a real account.
    """
    kept = {name: value for name, value in parent.items() if not name.startswith("AWS_")}
    no_proxy = ",".join(dict.fromkeys([*filter(None, kept.get("NO_PROXY", "").split(",")), HOST, "localhost"]))
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nowhere | client_variables(port) | {"NO_PROXY": no_proxy, "no_proxy": no_proxy}


def server_environment(parent: Mapping[str, str], port: int, scratch: str) -> dict[str, str]:
    """The environment of MiniStack itself, which its functions inherit: as little as possible."""
    kept = {name: parent[name] for name in ("HOME", "LANG", "LC_ALL", "PATH", "TZ") if name in parent}
    return kept | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "PYTHONDONTWRITEBYTECODE": "1",  # functions are unpacked anew for every warm process: nothing to reuse
        "PYTHONUNBUFFERED": "1",
        "SFTP_ENABLED": "0",
        "TMPDIR": scratch,
    }
