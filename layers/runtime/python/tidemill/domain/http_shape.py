"""Where the exceptions of HTTP clients keep the status and the headers of an answer.

None of these libraries is imported. What is looked at, in this order, and whose it is:

- status: `error.response.status_code` (requests, httpx, openai, anthropic, azure, slack_sdk), `.status` of the response
  (httplib2 under `error.resp`, of googleapiclient), `error.status_code` (azure, openai), `error.http_status` (stripe),
  `error.status` (aiohttp, PyGithub, twilio), `error.code` (urllib, google.api_core)
- headers: of the response, else `error.headers` (aiohttp, urllib, stripe, PyGithub)

Whatever an object raises when it is asked, these functions don't.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final

from tidemill.domain.asking import asked

_OF_A_RESPONSE: Final = ("status_code", "status")
_OF_AN_ERROR: Final = ("status_code", "http_status", "status", "code")
# An answer has some dozens.
_MOST_HEADERS: Final = 256


def response_of(error: BaseException) -> Any:
    """The answer that `error` carries, if any."""
    response = _attribute(error, "response")
    # Not by its truth: a failed answer of requests is false.
    return _attribute(error, "resp") if response is None else response


def status_of(error: BaseException) -> int | None:
    """The HTTP status of `error`."""
    if isinstance(error, SystemExit):
        # Its code is the process's.
        return None
    response = response_of(error)
    found = [_attribute(response, name) for name in _OF_A_RESPONSE]
    if isinstance(response, Mapping):
        found += [asked(partial(response.get, name), None) for name in _OF_A_RESPONSE]
    found += [_attribute(error, name) for name in _OF_AN_ERROR]
    return next((status for status in map(number_of, found) if status is not None), None)


def headers_of(error: BaseException) -> dict[str, str]:
    """The headers of the answer that `error` carries, under lower-case names."""
    response = response_of(error)
    found: list[object] = [_attribute(response, "headers")]
    if isinstance(response, Mapping):
        # Those of httplib2 are headers themselves.
        found += [asked(partial(response.get, "headers"), None), response]
    found.append(_attribute(error, "headers"))
    return next((headers for headers in map(read_headers, found) if headers), {})


def read_headers(headers: object) -> dict[str, str]:
    """Headers under lower-case names; of two of one name the values as a list with commas (RFC 9110, section 5.3)."""
    return asked(partial(_read, headers), {})


def number_of(value: object) -> int | None:
    """`value` as an HTTP status, if it is one: from 100 to 599, also in digits."""
    return asked(partial(_status, value), None)


def _attribute(holder: object, name: str) -> Any:
    return asked(lambda: getattr(holder, name, None), None)


def _status(value: object) -> int | None:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600 else None


def _read(headers: Any) -> dict[str, str]:
    items: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers or ()
    read: dict[str, str] = {}
    for name, value in islice(items, _MOST_HEADERS):
        key, text = _text(name).lower(), _text(value).strip()
        read[key] = f"{read[key]}, {text}" if key in read else text
    return read


def _text(value: object) -> str:
    return str.__str__(value.decode("latin-1") if isinstance(value, bytes) else str(value))
