"""A shipped service that can be stopped at every call of a port, and go on from there as often as is wanted.

A service that was answered so far with some answers is a pure function of them: it is run again from its start, each
port hands out the answer that it gave before, and the first call without an answer ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.interrupt import WorkerDied


@dataclass(frozen=True, slots=True)
class Call:
    """What a service asks of a port next."""

    port: str
    method: str
    args: tuple[Any, ...]
    named: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What the service returned or raised in the end."""

    value: Any


class _Paused(WorkerDied):
    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Tape:
    """The answers so far, handed out in order."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self._answers = iter(answers)

    def port(self, name: str) -> Any:
        """Whatever port the service wants, under this name."""
        return _Port(name, self)

    def answer(self, call: Call) -> Any:
        for answer in self._answers:
            if isinstance(answer, Exception):
                raise answer
            return answer
        raise _Paused(call)


# What the lane is, a queue knows without a call.
_KNOWN: Final = {"has_lane": True, "keeps_order": False}


class _Port:
    def __init__(self, name: str, tape: Tape) -> None:
        self._name = name
        self._tape = tape

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def ask(*args: Any, **named: Any) -> Any:
            if method in _KNOWN:
                return _KNOWN[method]
            return self._tape.answer(Call(self._name, method, args, named))

        return ask


def follow(service: Callable[[Tape], Any], answers: Sequence[Any]) -> Call | Done:
    """What `service` does after it got these answers."""
    try:
        return Done(service(Tape(answers)))
    except _Paused as paused:
        return paused.call
