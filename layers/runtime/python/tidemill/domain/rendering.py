"""An exception as text: its words and its traceback, without the inputs that pydantic quotes."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from typing import Final

from pydantic import ValidationError

# pydantic's own text in somebody else's message. A repr has no line break, and the greedy star goes to the line's last
# input_type, so that no input can end it early.
_QUOTED_INPUT: Final = re.compile(r"input_value=[^\n]*, input_type=")
# More frames, links and members than the characters that are kept have room for.
_FRAMES: Final = -40
_LINKS: Final = 8
_MEMBERS: Final = 8
_NESTED: Final = 2
_FROM: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"


def text_of(error: BaseException) -> str:
    """The error's own words."""
    try:
        text = _validation(error) if isinstance(error, ValidationError) else str(error)
    except Exception:  # noqa: BLE001 - the text of an exception is made by the job's own code
        return "(its text can't be read)"
    return _QUOTED_INPUT.sub("input_value=[hidden], input_type=", text)


def type_of(error: BaseException) -> str:
    """The error's qualified name, at most 120 characters."""
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    return name[:120]


def trace_of(error: BaseException, clean: Callable[[str], str]) -> str:
    """The traceback with what led to it, much as Python prints it; `clean` is applied to all words and notes."""
    try:
        return "".join(reversed(list(_chain(error, clean))))
    except Exception:  # noqa: BLE001 - notes, modules and sources are the job's own
        return "(its traceback can't be read)"


def _validation(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{'.'.join(map(str, one['loc'])) or '(whole)'}: {one['msg']} [{one['type']}]" for one in found]
    return "\n".join((f"{len(found)} validation error{'s' * (len(found) > 1)} for {error.title}", *lines))


def _chain(error: BaseException, clean: Callable[[str], str]) -> Iterator[str]:
    """The parts of the trace, the last first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < _LINKS:
        seen.add(id(link))
        yield _told(link, clean, _NESTED)
        cause = link.__cause__
        before = cause if cause is not None or link.__suppress_context__ else link.__context__
        if before is not None and id(before) not in seen and len(seen) < _LINKS:
            yield _DURING if cause is None else _FROM
        link = before


def _told(error: BaseException, clean: Callable[[str], str], nested: int) -> str:
    frames = traceback.format_tb(error.__traceback__, _FRAMES)
    heading = "Traceback (most recent call last):\n" if frames else ""
    members = error.exceptions[:_MEMBERS] if isinstance(error, BaseExceptionGroup) and nested else ()
    told = (_told(member, clean, nested - 1) for member in members)
    return "".join((heading, *frames, _words(error, clean), *told))


def _words(error: BaseException, clean: Callable[[str], str]) -> str:
    text, notes = clean(text_of(error)), getattr(error, "__notes__", ())
    line = f"{type_of(error)}: {text}" if text else type_of(error)
    return "".join(f"{part}\n" for part in (line, *(clean(str(note)) for note in notes)))
