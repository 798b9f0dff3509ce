"""An exception as text: its words and its traceback, without the inputs that pydantic quotes."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final

from pydantic import ValidationError

from tidemill.domain.asking import asked
from tidemill.domain.hiding import HIDDEN

# pydantic's own text in somebody else's message. A repr has no line break, and what is between the first of these and
# the last of those on a line is left out, so that no input can end it early.
_INPUT: Final = "input_value="
_INPUT_TYPE: Final = ", input_type="
# More frames, links, members and notes than the characters that are kept have room for.
_FRAMES: Final = -40
_LINKS: Final = 8
_MEMBERS: Final = 8
_NESTED: Final = 2
_NOTES: Final = 16
_NAME_CHARS: Final = 120
# As `type` itself has them: a metaclass may have its own.
_QUALNAME: Final = type.__dict__["__qualname__"].__get__
_MODULE: Final = type.__dict__["__module__"].__get__
_FROM: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"


def text_of(error: BaseException) -> str:
    """The error's own words."""
    return asked(partial(_words_of, error), "(its text can't be read)")


def type_of(error: BaseException) -> str:
    """The error's qualified name, at most 120 characters."""
    cls = type(error)
    name = asked(lambda: _plain(_QUALNAME(cls))[:_NAME_CHARS], "") or "(a type without a name)"
    module = asked(lambda: _plain(_MODULE(cls))[:_NAME_CHARS], "builtins")
    return (name if module == "builtins" else f"{module}.{name}")[:_NAME_CHARS]


def trace_of(error: BaseException, clean: Callable[[str], str]) -> str:
    """The traceback with what led to it, much as Python prints it; `clean` is applied to all words and notes."""
    return asked(lambda: "".join(reversed(list(_chain(error, clean)))), "(its traceback can't be read)")


def place_of(error: BaseException) -> str:
    """The function that raised it; "" if that is not known."""
    return asked(partial(_innermost, error), "")


def _words_of(error: BaseException) -> str:
    text = _plain(_validation(error) if isinstance(error, ValidationError) else str(error))
    return "\n".join(map(_without_input, text.split("\n"))) if _INPUT in text else text


def _without_input(line: str) -> str:
    start, end = line.find(_INPUT), line.rfind(_INPUT_TYPE)
    return line if start < 0 or end < start else f"{line[:start]}{_INPUT}{HIDDEN}{line[end:]}"


def _plain(text: str) -> str:
    """`text` as Python's own: a subclass may answer otherwise than its characters are."""
    return str.__str__(text)


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # The function, not the line: an edit above it must not open a new group.
    return "" if trace is None else trace.tb_frame.f_code.co_name


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
    frames = traceback.format_list(_places(error)[_FRAMES:])
    heading = "Traceback (most recent call last):\n" if frames else ""
    members = error.exceptions[:_MEMBERS] if isinstance(error, BaseExceptionGroup) and nested else ()
    told = (_told(member, clean, nested - 1) for member in members)
    return "".join((heading, *frames, _words(error, clean), *told))


def _places(error: BaseException) -> list[tuple[str, int, str, None]]:
    """File, line and function of each frame; the line's text is read where it is printed.

    Without columns: to mark them, Python parses each line anew, which takes longer than all else that a failure costs.
    """
    return [
        (frame.f_code.co_filename, line, frame.f_code.co_name, None)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def _words(error: BaseException, clean: Callable[[str], str]) -> str:
    text, notes = clean(text_of(error)), islice(getattr(error, "__notes__", ()), _NOTES)
    line = f"{type_of(error)}: {text}" if text else type_of(error)
    return "".join(f"{part}\n" for part in (line, *(clean(_plain(str(note))) for note in notes)))
