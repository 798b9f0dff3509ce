"""The type that a step returns, so that a remembered value comes back as what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

from tidemill.domain.errors import StepError


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` answers a coroutine."""
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function)


def returned_by(function: Callable[..., Any]) -> Any:
    """The annotated return type of `function`; Any where there is none that can be read."""
    while isinstance(function, partial):
        function = function.func
    try:
        return get_type_hints(function).get("return", Any)
    except (AttributeError, NameError, TypeError):
        # A builtin, a callable object, or an annotation that names what only a type checker imports.
        return Any


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
