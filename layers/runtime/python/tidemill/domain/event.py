"""Domain events: facts of the business that others may want to hear of."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from tidemill.domain.contract import Contract, check_reserved
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.names import check_event_type

_OWN: Final = ("event_type",)


class Event(Contract):
    """Base of every event model. An event is a fact: it happened, so its type is named in the past tense.

    The class statement names the type::

        class OrderPlaced(Event, type="order.placed"):
            order: str
            cents: int

    Class arguments:
        type: the stable name of the fact, at most 64 characters. Subscribers know it by that name, so it never
            changes; the Python name may.
        version: of the fields, 1 if left out; see `JobArgs`.

    Models are strict, frozen, and refuse unknown fields when an event is made. Subscribers ignore unknown fields, so an
    optional field can be added while old and new code run.

    Raises:
        DefinitionError: the type is ill-formed, an upcaster is missing or one too many, or a field is named
            `event_type` or as one of `Contract`'s own (when the class is made).
    """

    contract_part: ClassVar[str] = "data"

    event_type: ClassVar[str]

    def __init_subclass__(
        cls,
        *,
        type: str | None = None,  # noqa: A002 - CloudEvents' word
        version: int | None = None,
        **config: Any,
    ) -> None:
        super().__init_subclass__(**config)
        # Before pydantic makes fields of them, which would first warn of the shadowed attribute.
        check_reserved(cls.__name__, "Event", "type", _OWN, {*vars(cls), *vars(cls).get("__annotations__", ())})
        cls.contract_versioned(version, is_named=type is not None)
        if type is None:
            return
        try:
            cls.event_type = check_event_type(type)
        except InputError as error:
            raise DefinitionError(f"{cls.__name__}: {error}") from error

    @classmethod
    def __pydantic_init_subclass__(cls, **config: Any) -> None:
        super().__pydantic_init_subclass__(**config)
        # Those of a mixin, too.
        check_reserved(cls.__name__, "Event", "type", _OWN, set(cls.model_fields))
