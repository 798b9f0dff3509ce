"""Addresses that answer on this machine.

MiniStack gives an HTTP API the address `http://<id>.execute-api.localhost:<port>`, by analogy with AWS. Many resolvers
do not know names below `localhost`, so it serves the same API under a path, and that is what we hand out.
"""

from __future__ import annotations

import re
from typing import Final

_EXECUTE_API: Final = re.compile(r"^https?://(?P<api>[0-9a-z]+)\.execute-api\.[^/]+(?P<path>/.*)?$")


def local_address(value: str, endpoint: str) -> str:
    """The value of an output, translated if it is the address of an HTTP API with its default stage."""
    found = _EXECUTE_API.match(value)
    if not found:
        return value
    return f"{endpoint}/_aws/execute-api/{found['api']}/$default{(found['path'] or '').rstrip('/')}"
