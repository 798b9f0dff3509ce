"""Keeping a job's own arguments out of the evidence that it leaves.

Evidence is read by operators, stored longer than the job and copied into tickets; arguments are the tenant's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from numbers import Number
from typing import Any, Final
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from tidemill.domain.args import JobArgs
from tidemill.domain.asking import asked

HIDDEN: Final = "[hidden]"
# Shorter ones are words such as `de` and `png`, which would make holes in every text.
_LEAST: Final = 4
# A library may cut a long value short (int() after 200 characters): its beginning is looked for, and hidden as far as
# it goes.
_BEGINNING: Final = 32
_NOTHING: Final[tuple[tuple[str, ...], tuple[object, ...]]] = ((), ())


def strings_of(args: JobArgs | bytes) -> tuple[str, ...]:
    """Every string of at least 4 characters in a job's arguments, secrets and bytes included, the longest first.

    Numbers are not among them, and neither are the names of fields; the keys of mappings are. There are at most some
    18,000 in 131,072 bytes, which take 0.1 s, and 700,000 in the largest arguments, which take some seconds.

    Arguments:
        args: the arguments, or their canonical bytes where no model could be made of them: then no key is among
            the strings, since a field's name can't be told from one.
    """
    found: set[str] = set()
    if isinstance(args, bytes):
        found.update(_leaves(_parsed(args), with_keys=False))
    else:
        # As Python holds them, where secrets are readable, and as the message has them.
        found.update(_leaves(args, with_keys=True))
        found.update(_leaves(asked(partial(_dumped, args), None), with_keys=False))
    return tuple(sorted((one for one in found if len(one.strip()) >= _LEAST), key=lambda one: (-len(one), one)))


def hide(text: str, hidden: Sequence[str], searched: int | None = None) -> str:
    """`text` with every occurrence of a string of `hidden` replaced by `[hidden]`.

    Also found are the forms that a string takes in a `repr`, in JSON and in a URL, and the beginning of a long one that
    was cut short after 32 characters or more.

    Arguments:
        searched: how many characters of a longer text are enough: the rest is neither searched nor returned.
    """
    whole = searched is None or len(text) <= searched
    text = text[:searched]
    spans = sorted(span for value in hidden for form in _forms(value) for span in _spans(text, form))
    # What the cut went through is known by its beginning, or goes with this much of the end.
    last = len(text) if whole else len(text) - _BEGINNING
    kept: list[str] = []
    end = 0
    for start, stop in spans:
        if start > end or not kept:
            kept += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join((*kept, text[end:last]))


def _leaves(root: object, *, with_keys: bool) -> Iterator[str]:
    waiting: list[object] = [root]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        # What does not tell its parts is nothing that the job could have quoted.
        texts, parts = asked(partial(_opened, value, with_keys=with_keys), _NOTHING)
        yield from texts
        if parts:
            seen.add(id(value))
            waiting += parts


def _opened(value: object, *, with_keys: bool) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """The texts that `value` is, and what it consists of."""
    if isinstance(value, str | bytes | bytearray):
        return _readings(value), ()
    if value is None or isinstance(value, Number):
        return (), ()
    inside = _inside(value, with_keys=with_keys)
    return ((str(value),), ()) if inside is None else ((), tuple(inside))


def _readings(value: str | bytes | bytearray) -> tuple[str, ...]:
    if isinstance(value, str):
        return (str(value),)
    raw = bytes(value)
    return (raw.decode("utf-8", "ignore"), repr(raw)[2:-1])


def _inside(value: Any, *, with_keys: bool) -> Iterable[object] | None:
    """What `value` consists of; None for a value without parts."""
    if isinstance(value, BaseModel):
        return (*vars(value).values(), *(value.model_extra or {}).values())
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values()) if with_keys else value.values()
    if isinstance(value, list | tuple | AbstractSet):
        return value
    if isinstance(value, Enum):
        return (value.value,)
    if callable(reveal := getattr(value, "get_secret_value", None)):
        return (reveal(),)
    return [getattr(value, field.name, None) for field in fields(value)] if is_dataclass(value) else None


def _dumped(args: JobArgs) -> object:
    return args.model_dump(mode="json", by_alias=True)


def _parsed(canonical: bytes) -> object:
    try:
        return json.loads(canonical)
    except (RecursionError, ValueError):
        return None


def _forms(value: str) -> Iterable[str]:
    if value.isascii() and value.isalnum():
        return (value,)
    bare = value.strip()
    return {
        value,
        bare if len(bare) >= _LEAST else value,
        repr(value)[1:-1],
        ascii(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }


def _spans(text: str, form: str) -> Iterator[tuple[int, int]]:
    beginning, end = form[:_BEGINNING], 0
    if not beginning:
        return
    while (start := text.find(beginning, end)) >= 0:
        end = start + (len(form) if text.startswith(form, start) else _shared(text, start, form))
        yield start, end


def _shared(text: str, start: int, form: str) -> int:
    longest = min(len(form), len(text) - start)
    return next((i for i in range(_BEGINNING, longest) if text[start + i] != form[i]), longest)
