"""Whether an exception says that a dependency is not there: no way to it, or the connection broke.

It is asked of the classes' names, so that no client library is imported. A read timeout is not meant: the other side
is there and may be at work on the request, so that each try may repeat an effect and has to count as an attempt.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from types import TracebackType
from typing import Final

# No way to the other side. The kernel's own timeout has a number; one that a socket's timeout made has none.
_ERRNOS: Final = frozenset(
    {errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ETIMEDOUT},
)
_NAMES: Final = frozenset(
    {
        "ClientConnectorError",  # aiohttp
        "ConnectError",  # httpx, httpcore
        "ConnectTimeout",  # httpx, httpcore, requests
        "ConnectTimeoutError",  # urllib3
        "ConnectionClosedError",  # botocore
        "ConnectionError",  # Python's, requests', botocore's, redis', elasticsearch's
        "ConnectionTimeoutError",  # aiohttp
        "NetworkError",  # httpx, httpcore
        "NewConnectionError",  # urllib3
        "RemoteProtocolError",  # httpx, httpcore: hung up in the middle of an answer
        "ServerDisconnectedError",  # aiohttp
        "ServerSelectionTimeoutError",  # pymongo
        "gaierror",  # socket: the name does not resolve
        "herror",
    }
)
# These derive from one of the above, or are carried by one, but wait for somebody to mend a setting, or for an answer.
_OTHERWISE: Final = frozenset(
    {
        "AuthenticationError",
        "AuthorizationError",
        "ClientSSLError",
        "ReadTimeout",
        "ReadTimeoutError",
        "SSLError",
    }
)
# Where Python's own clients connect: a timeout that passed through here came before the request.
_CONNECTING: Final = frozenset(
    {("http.client", "connect"), ("socket", "create_connection"), ("ssl", "do_handshake")},
)
# An exception in an exception in an exception: urllib3's reason in MaxRetryError in requests' ConnectionError.
_DEPTH: Final = 4
# How many of an exception's arguments are looked at.
_ARGUMENTS: Final = 4


def is_unreachable(error: BaseException) -> bool:
    """Whether `error`, or what it carries as its reason, is a failure to connect."""
    carried = list(_carried(error, _DEPTH))
    if any(not _OTHERWISE.isdisjoint(_names(one)) for one in carried):
        return False
    return any(_fails_to_connect(one) for one in carried)


def _fails_to_connect(error: BaseException) -> bool:
    if not _NAMES.isdisjoint(_names(error)):
        return True
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return True
    return isinstance(error, TimeoutError) and _was_connecting(error.__traceback__)


def _names(error: BaseException) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__}


def _carried(error: BaseException, depth: int) -> Iterator[BaseException]:
    yield error
    if depth == 0:
        return
    # urllib's URLError and urllib3's MaxRetryError name a reason; requests and urllib3 wrap in their arguments.
    for inner in (getattr(error, "reason", None), *error.args[:_ARGUMENTS]):
        if isinstance(inner, BaseException):
            yield from _carried(inner, depth - 1)


def _was_connecting(trace: TracebackType | None) -> bool:
    while trace is not None:
        frame = trace.tb_frame
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) in _CONNECTING:
            return True
        trace = trace.tb_next
    return False
