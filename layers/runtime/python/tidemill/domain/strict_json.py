"""JSON as the RFC means it: one value per key, finite numbers, whole characters, bounded depth.

Python's parser keeps the last of two equal keys, takes NaN and 1e999, and lets lone surrogates
through; each of these lets two readers see two different documents.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError


def load_strict(text: str | bytes, field: str) -> Any:
    """Parse `text`; every error names `field`.

    Raises:
        InputError: not JSON, not UTF-8, a repeated key, NaN or an infinity, a number too long to
            read, a lone surrogate, or more than 32 levels.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        # Encoding finds lone surrogates: those in the text, and those that only an escape can bring in.
        text.encode("utf-8")
        document = _DECODER.decode(text)
        if "\\u" in text:
            _ENCODER.encode(document).encode("utf-8")
    except RecursionError:
        raise _too_deep(field, limits.MAX_JSON_DEPTH) from None
    except UnicodeError:
        raise InputError.at(field, "holds bytes that are no UTF-8 or a lone surrogate", "encoding") from None
    except ValueError as error:
        raise InputError.at(field, f"is not valid JSON: {_reason(error)}", "json") from None
    # No document has more levels than brackets, and few have that many.
    if text.count("[") + text.count("{") > limits.MAX_JSON_DEPTH:
        check_depth(document, field, limits.MAX_JSON_DEPTH)
    return document


def dump_canonical(document: object, field: str) -> bytes:
    """The one encoding of `document`: sorted keys, no white space, UTF-8.

    Raises:
        InputError: it holds NaN, an infinity, a lone surrogate, more levels than Python's own parser
            can take, or no JSON type at all.
    """
    try:
        return _ENCODER.encode(document).encode("utf-8")
    except RecursionError:
        raise _too_deep(field, limits.MAX_JSON_DEPTH) from None
    except UnicodeError:
        raise InputError.at(field, "holds a lone surrogate", "encoding") from None
    except (TypeError, ValueError) as error:
        raise InputError.at(field, f"can't be written as JSON: {error}", "json") from None


def check_depth(document: object, field: str, deepest: int) -> None:
    """Refuse a parsed document of more than `deepest` levels.

    Raises:
        InputError: it has more.
    """
    level, depth = [document], 0
    while level := [child for node in level for child in _children(node)]:
        depth += 1
        if depth > deepest:
            raise _too_deep(field, deepest)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {repeated[:40]!r} stands twice")
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large a number")
    return value


# Made once: both are built for every message.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    return str(error)


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _too_deep(field: str, deepest: int) -> InputError:
    return InputError.at(field, f"is nested deeper than {deepest} levels", "depth")
