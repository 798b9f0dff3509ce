"""Ports through which faults reach the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, NoReturn

from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import Send, Unwritten
from tidemill.testing.faults import CALLS, Faults, Kind, Process

# How a call says that AWS did not answer. What is not here raises.
_EACH_UNWRITTEN: Final = frozenset({"insert", "claim", "conclude"})
_UNWRITTEN: Final = frozenset({"move", "extend", "refuse"})
# Which argument has the things of which each gets its own error.
_EACH_ERROR: Final = {
    "send": 1,
    "keep": 0,
    "put_all": 0,
    "number": 0,
    "count_ends": 0,
    "keep_token": 0,
    "report": 0,
    "publish": 0,
    "remove": 0,
}
_ERROR: Final = frozenset({"keep_longer"})
_SILENT: Final = frozenset({"hide", "delete", "discard"})
_STEPWISE: Final = frozenset({"dlq_move"})


@dataclass(frozen=True, slots=True)
class Tampering:
    """What happens to the calls of one process.

    Arguments:
        lives: raises where the process that would make a call has ended. `crash`: ends it, saying why.
        slow, freeze: let a span go by, with the process awake and not.
        saw: is told of every call that was done: its name, its arguments and its answer.
    """

    by: Process
    faults: Faults
    lives: Callable[[], None]
    crash: Callable[[str], NoReturn]
    slow: Callable[[timedelta], None]
    freeze: Callable[[timedelta], None]
    saw: Callable[[str, Sequence[Any], Any], None]

    def port(self, real: object, **names: str) -> Any:
        """`real`, with the faults in between. `names`: verbs that are called otherwise in a fault."""
        return _Port(self, real, names)

    def call(self, name: str, real: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """Make the call, or let go wrong what is planned for it."""
        self.lives()
        for fault in self._happening(name, Kind.SLOW, Kind.FREEZE):
            (self.slow if fault.kind is Kind.SLOW else self.freeze)(fault.span)
        for fault in self._happening(name, Kind.CRASH_BEFORE):
            self.crash(str(fault))
        for _ in self._happening(name, Kind.THROTTLE):
            return _refused(name, arguments, "Throttled")
        answer = real(*self._late(name, arguments))
        if name in _STEPWISE:
            return self._steps(name, arguments, answer)
        return self._done(name, arguments, answer)

    def _done(self, name: str, arguments: Sequence[Any], answer: Any) -> Any:
        self.saw(name, arguments, answer)
        for fault in self._happening(name, Kind.CRASH_AFTER):
            self.crash(str(fault))
        for _ in self._happening(name, Kind.LOSE_ANSWER):
            return _refused(name, arguments, "ReadTimeout")
        return answer

    def _steps(self, name: str, arguments: Sequence[Any], steps: Iterator[Any]) -> Iterator[Any]:
        """Each step is done only when it is asked for, and is a call of its own."""
        for step in steps:
            yield self._done(name, arguments, step)

    def _happening(self, name: str, *kinds: Kind) -> Any:
        return self.faults.happening(name, *kinds, by=self.by)

    def _late(self, name: str, arguments: Sequence[Any]) -> Sequence[Any]:
        if name != "send":
            return arguments
        lane, sends = arguments
        # SQS takes no delay for a message of a FIFO queue, and none of its group overtakes it.
        return lane, [send if send.envelope.entity_in(lane) else self._later(send) for send in sends]

    def _later(self, send: Send) -> Send:
        late = sum(milliseconds(fault.span) for fault in self.faults.happening("message", Kind.LATE))
        return replace(send, delay_s=send.delay_s + -(-late // 1000))


class _Port:
    def __init__(self, tampering: Tampering, real: object, names: dict[str, str]) -> None:
        self._tampering = tampering
        self._real = real
        self._names = names

    def __getattr__(self, verb: str) -> Any:
        real = getattr(self._real, verb)
        name = self._names.get(verb, verb)
        return partial(self._make, name, real) if name in CALLS else real

    def _make(self, name: str, real: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return self._tampering.call(name, partial(real, **named), arguments)


def _refused(name: str, arguments: Sequence[Any], cause: str) -> Any:
    """The answer of a call that failed, in the port's own way."""
    error = UnavailableError(name, cause)
    if name in _EACH_UNWRITTEN:
        return [Unwritten(error) for _ in arguments[0]]
    if name in _UNWRITTEN:
        return Unwritten(error)
    if name in _EACH_ERROR:
        return [error for _ in arguments[_EACH_ERROR[name]]]
    if name in _ERROR:
        return error
    if name in _SILENT:
        return None
    raise error
