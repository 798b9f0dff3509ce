"""A form for an answer: what it asks, and from what somebody filled in to the answer. Pure.

What a form can't ask for (a list, a model within the model) is asked for as JSON: every answer can be given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tidemill.domain.errors import InputError, Violation
from tidemill.domain.strict_json import load_strict

# The path of the answer itself.
WHOLE: Final = "answer"
# A text that may be longer than this is written in several lines.
_ONE_LINE_CHARS: Final = 120


class Entry(Enum):
    """How a field is filled in."""

    CHOICE = "choice"
    TEXT = "text"
    DATE = "date"
    INTEGER = "integer"
    NUMBER = "number"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FormField:
    """One thing that is asked.

    Attributes:
        path: its name in the form and in refusals: `answer`, or `answer.<name>`.
        label, hint: for people, from the declared title and description.
        choices: what can be chosen, each a JSON value. Only of a CHOICE.
        is_required: the answer needs it. `takes_null`: it may be null.
        default: as JSON text; None if there is none.
        low, high: bounds of a number. `shortest`, `longest`: of a text, in characters.
    """

    path: str
    label: str
    hint: str
    entry: Entry
    choices: tuple[Any, ...] = ()
    is_required: bool = True
    takes_null: bool = False
    default: str | None = None
    low: float | None = None
    high: float | None = None
    shortest: int = 0
    longest: int | None = None

    @property
    def is_long(self) -> bool:
        """Whether its text may take several lines."""
        return self.entry is Entry.JSON or self.longest is None or self.longest > _ONE_LINE_CHARS

    @property
    def must_be_filled_in(self) -> bool:
        """Whether a form without it is no answer."""
        is_free = self.entry is Entry.TEXT and not self.shortest
        return self.is_required and not self.takes_null and not is_free

    def read(self, text: str) -> Any:
        """What was filled in, as a JSON value. Bounds and patterns are the answer's own to check.

        Raises:
            InputError: it is no value of this sort.
        """
        if self.entry in (Entry.TEXT, Entry.DATE):
            # HTML Living Standard, "Constructing the entry list": forms send lines ended by CR LF.
            return text.replace("\r\n", "\n")
        try:
            value = load_strict(text.strip(), self.path)
        except InputError:
            raise self._refused() from None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        match self.entry:
            case Entry.CHOICE:
                fits = any(value == choice and type(value) is type(choice) for choice in self.choices)
            case Entry.INTEGER:
                fits = is_number and isinstance(value, int)
            case Entry.NUMBER:
                fits = is_number
            case _:
                fits = True
        if not fits:
            raise self._refused()
        return value

    def _refused(self) -> InputError:
        wanted = {
            Entry.CHOICE: "choose one of those that are offered",
            Entry.INTEGER: "must be a whole number such as 12",
            Entry.NUMBER: "must be a number such as 12.5",
        }
        return InputError.at(self.path, wanted.get(self.entry, "must be JSON"), "form")


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """All that is asked. `is_whole`: the one field is the answer, and no part of it."""

    fields: tuple[FormField, ...]
    is_whole: bool

    def filled_in(self, entries: Mapping[str, str]) -> Any:
        """The answer that somebody filled in, as a JSON value. What was left empty and need not be there is left out.

        Arguments:
            entries: texts by the fields' paths.

        Raises:
            InputError: a field is missing, unknown, or no value of its sort; each is named.
        """
        found: dict[str, Any] = {}
        known = {field.path for field in self.fields}
        wrong = [Violation(name[:64], "is no field of this form", "extra") for name in sorted(set(entries) - known)]
        for field in self.fields:
            text = entries.get(field.path, "")
            try:
                if text.strip():
                    found[field.path] = field.read(text)
                elif field.must_be_filled_in:
                    wrong.append(Violation(field.path, "is missing", "missing"))
                elif field.is_required:
                    found[field.path] = None if field.takes_null else text
            except InputError as error:
                wrong.extend(error.violations)
        if wrong:
            raise InputError(*wrong)
        if self.is_whole:
            return found.get(WHOLE)
        return {path.removeprefix(f"{WHOLE}."): value for path, value in found.items()}

    def told(self, value: Any) -> list[tuple[str, str]]:
        """An answer for people: labels and texts, in the form's order."""
        if self.is_whole or not isinstance(value, dict):
            return [(self.fields[0].label if self.fields else "Answer", shown(value))]
        labels = {field.path.removeprefix(f"{WHOLE}."): field.label for field in self.fields}
        known = [(label, shown(value[name])) for name, label in labels.items() if name in value]
        return known + [(name, shown(one)) for name, one in value.items() if name not in labels]


def shown(value: Any) -> str:
    """A JSON value for people."""
    match value:
        case bool():
            return "Yes" if value else "No"
        case None:
            return "not given"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
