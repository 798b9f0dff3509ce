"""The answers that a kind of job takes: declared with it, so that whoever answers is told at once what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError, InputError, Violation
from tidemill.domain.names import check_wait
from tidemill.domain.strict_json import check_depth, dump_canonical

_FIELD: Final = "answer"


def check_answers(where: str, answers: object) -> None:
    """Refuse declared answers of which one has a bad name, or a type that no JSON can be checked against.

    Raises:
        DefinitionError: one has; or there are more than 16.
    """
    if not isinstance(answers, Mapping):
        raise DefinitionError(f"{where} answers is {answers!r}. Fix: answers={{'approval': Decision}}")
    if len(answers) > limits.MAX_ANSWERS:
        raise DefinitionError(f"{where} has {len(answers)} answers. Fix: at most {limits.MAX_ANSWERS}")
    for name, returns in answers.items():
        try:
            check_wait(name, "answers")
            TypeAdapter(returns)
        except InputError as error:
            raise DefinitionError(f"{where} {error}. Fix: a name such as 'approval'") from None
        except (PydanticSchemaGenerationError, PydanticUserError, TypeError) as error:
            raise DefinitionError(
                f"{where} answer {name!r} is of type {returns!r}, which pydantic can't check ({error}). "
                "Fix: give a model, bool, str, Literal[...]"
            ) from None


def checked_answer(kind: str, answers: Mapping[str, Any], name: object, value: object) -> tuple[str, str]:
    """The name, and the answer as canonical JSON text, if a job of this kind takes it.

    Raises:
        InputError: the kind waits for no such answer (the field is `name`), it is too large, or does not fit; each
            place is named `answer.<path>`.
    """
    checked = check_wait(name)
    if checked not in answers:
        known = f"it waits for {', '.join(sorted(answers))}" if answers else "it waits for no answer"
        raise InputError.at("name", f"a job of kind {kind!r} takes no answer {checked!r}; {known}", "unknown_answer")
    text = _canonical(value)
    try:
        TypeAdapter(answers[checked]).validate_json(text)
    except ValidationError as error:
        raise InputError(*map(_violation, error.errors(include_url=False, include_input=False))) from None
    except Exception as error:  # noqa: BLE001 - a validator of the answer's type may raise whatever it likes
        problem = f"can't be checked: a validator raised {type(error).__name__}"
        raise InputError(Violation(_FIELD, problem, "validator")) from None
    return checked, text


def _canonical(value: object) -> str:
    try:
        document = to_jsonable_python(value, by_alias=True)
    except Exception as error:  # noqa: BLE001 - serialising runs the value's own code
        raise InputError.at(_FIELD, f"can't be written as JSON: {type(error).__name__}", "json") from None
    check_depth(document, _FIELD, limits.MAX_ARGS_DEPTH)
    encoded = dump_canonical(document, _FIELD)
    if len(encoded) > limits.MAX_ANSWER_BYTES:
        problem = f"is {len(encoded)} bytes, the limit is {limits.MAX_ANSWER_BYTES}. Fix: store the data, give its key"
        raise InputError.at(_FIELD, problem, "too_large")
    return encoded.decode()


def _violation(error: Any) -> Violation:
    return Violation(".".join(str(part) for part in (_FIELD, *error["loc"])), error["msg"], error["type"])
