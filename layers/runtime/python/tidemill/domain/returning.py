"""The type that a step returns, so that a remembered value comes back as what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

from tidemill.domain.errors import StepError
from tidemill.domain.result import encode_result


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` answers a coroutine, as far as can be seen without calling it."""
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - of an object, what calling it runs


def returned_by(function: Callable[..., Any]) -> Any:
    """The annotated return type of `function`; Any where there is none that can be read."""
    while isinstance(function, partial):
        function = function.func
    try:
        return get_type_hints(function).get("return", Any)
    except (AttributeError, NameError, TypeError):
        # A builtin, a callable object, or an annotation that names what only a type checker imports.
        return Any


def encode_step(value: object, returns: Any, step: str) -> str | None:
    """What a step returned as JSON text, in the first form that reads back as `returns`.

    By alias, as a model is validated unless it says otherwise; else by name. A value that is not of its step's type
    reads back in none: then it is the first.

    Raises:
        InputError: it can't be written as JSON, or is too large.
    """
    text = encode_result(value, by_alias=True, round_trip=True)
    if reads_back(text, returns, step):
        return text
    by_name = encode_result(value, by_alias=False, round_trip=True)
    return by_name if reads_back(by_name, returns, step) else text


def reads_back(text: str | None, returns: Any, step: str) -> bool:
    """Whether `read_back` answers a value."""
    try:
        read_back(text, returns, step)
    except StepError:
        return False
    return True


def read_back(text: str | None, returns: Any, step: str) -> Any:
    """The value that was written as JSON `text`, as the type `returns`.

    Raises:
        StepError: the text does not fit the type; the code changed since it was written.
    """
    if text is None:
        return None
    try:
        return _adapter(returns).validate_json(text)
    except ValidationError as error:
        problems = "; ".join(
            problem["msg"] for problem in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise StepError.at(
            "step",
            f"what {step!r} remembers does not fit its return type ({problems}). "
            "Fix: let the type accept it, or redrive the job from this step",
            "remembered",
        ) from None


def _adapter(returns: Any) -> TypeAdapter[Any]:
    try:
        return _made(returns)
    except TypeError:
        # A type that can't be hashed can't be kept.
        return _made.__wrapped__(returns)


@lru_cache(maxsize=256)
def _made(returns: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(returns)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return TypeAdapter(Any)
