"""The form of an answer in HTML: labelled, usable with the keyboard alone, and again with what was wrong in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.answer_form import AnswerForm, Entry, FormField, shown
from tidemill.domain.errors import Violation

# More than these are a list to open.
_MOST_BUTTONS: Final = 6
_OPEN: Final = "Leave open"


def form_html(form: AnswerForm, entries: Mapping[str, str], wrong: Sequence[Violation] = ()) -> str:
    """The form, sent to the address that it was shown under.

    Arguments:
        entries: what it is filled in with, by path; what is not there has its default.
        wrong: what was refused. The first such field is where one goes on.
    """
    problems: dict[str, list[str]] = {}
    for violation in wrong:
        problems.setdefault(_owner(form, violation.field), []).append(violation.problem)
    first = next((field.path for field in form.fields if field.path in problems), None)
    fields = [
        _field(field, _filled(field, entries), "; ".join(problems.get(field.path, ())), is_first=field.path == first)
        for field in form.fields
    ]
    others = "; ".join(problem for problem in problems.get("", ()))
    return "\n".join(
        [
            _trouble(others) if wrong else "",
            '<form method="post" accept-charset="utf-8">',
            *fields,
            '<button type="submit">Send the answer</button>',
            "</form>",
        ]
    )


def _trouble(others: str) -> str:
    said = escape(others) or "Something in it does not fit; it is marked below."
    return f'<p class="trouble" role="alert"><strong>The answer was not taken.</strong> {said}</p>'


def _owner(form: AnswerForm, path: str) -> str:
    """The field that a refusal is about: it may name a place within it."""
    return next(
        (field.path for field in form.fields if path == field.path or path.startswith(f"{field.path}.")),
        form.fields[0].path if form.is_whole else "",
    )


def _filled(field: FormField, entries: Mapping[str, str]) -> str:
    if field.path in entries:
        return entries[field.path]
    if field.default is None:
        return ""
    return str(json.loads(field.default)) if field.entry in (Entry.TEXT, Entry.DATE) else field.default


def _field(field: FormField, filled: str, problem: str, *, is_first: bool) -> str:
    name = escape(field.path)
    notes = "".join(
        f'<p class="{kind}" id="{name}-{kind}" dir="auto">{escape(text)}</p>'
        for kind, text in (("hint", _hint(field)), ("wrong", problem))
        if text
    )
    described = " ".join(f"{field.path}-{kind}" for kind, text in (("hint", _hint(field)), ("wrong", problem)) if text)
    marks = _attributes(
        {
            "name": field.path,
            "required": field.must_be_filled_in,
            "autofocus": is_first,
            "aria-describedby": described or None,
            "aria-invalid": "true" if problem else None,
        }
    )
    if field.entry is Entry.CHOICE and len(field.choices) <= _MOST_BUTTONS:
        buttons = _buttons(field, filled, marks)
        return f'<fieldset><legend dir="auto">{escape(field.label)}</legend>{notes}\n{buttons}\n</fieldset>'
    control = _menu(field, filled, marks) if field.entry is Entry.CHOICE else _box(field, filled, marks)
    return f'<div class="field"><label for="{name}" dir="auto">{escape(field.label)}</label>{notes}\n{control}\n</div>'


def _hint(field: FormField) -> str:
    parts = [
        field.hint,
        "As JSON." if field.entry is Entry.JSON else "",
        "" if _is_needed(field) else "May be left empty.",
    ]
    return " ".join(part for part in parts if part)


def _is_needed(field: FormField) -> bool:
    return field.must_be_filled_in or field.entry is Entry.CHOICE


def _choices(field: FormField) -> list[tuple[str, str]]:
    found = [(json.dumps(one, ensure_ascii=False), shown(one)) for one in field.choices]
    return found if field.must_be_filled_in or field.default is not None else [*found, ("", _OPEN)]


def _buttons(field: FormField, filled: str, marks: str) -> str:
    lines = []
    for number, (value, label) in enumerate(_choices(field)):
        # One of a group is enough to say it for all, and focus goes to one.
        of_group = marks if number == 0 else _attributes({"name": field.path, "required": field.must_be_filled_in})
        chosen = value == filled and (bool(filled) or not field.must_be_filled_in)
        own = _attributes({"type": "radio", "value": value, "checked": chosen})
        lines.append(f'<label class="pick"><input{own}{of_group}><span dir="auto">{escape(label)}</span></label>')
    return "\n".join(lines)


def _menu(field: FormField, filled: str, marks: str) -> str:
    choices = _choices(field) if not field.must_be_filled_in else [("", "Choose one"), *_choices(field)]
    options = "".join(
        f"<option{_attributes({'value': value, 'selected': value == filled})}>{escape(label)}</option>"
        for value, label in choices
    )
    return f'<select id="{escape(field.path)}"{marks}>{options}</select>'


def _box(field: FormField, filled: str, marks: str) -> str:
    own: dict[str, Any] = {"id": field.path}
    if field.entry in (Entry.TEXT, Entry.JSON):
        own |= {"maxlength": field.longest or limits.MAX_ANSWER_BYTES, "minlength": field.shortest or None}
        if field.is_long:
            # The first line break of a text area is not part of its text.
            return f'<textarea rows="4"{_attributes(own)}{marks} dir="auto">\n{escape(filled)}</textarea>'
        own |= {"type": "text", "autocomplete": "off", "dir": "auto"}
    elif field.entry is Entry.DATE:
        own |= {"type": "date"}
    else:
        is_whole = field.entry is Entry.INTEGER
        own |= {"type": "number", "step": "1" if is_whole else "any", "inputmode": "numeric" if is_whole else "decimal"}
        own |= {"min": field.low, "max": field.high}
    return f"<input{_attributes({**own, 'value': filled or None})}{marks}>"


def _attributes(named: Mapping[str, object]) -> str:
    """Attributes of a tag: True is one without a value, None and False none at all."""
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in named.items()
        if value is not None and value is not False
    )
