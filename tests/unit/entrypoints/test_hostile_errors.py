"""Whatever one job raises, its batch is recorded and its neighbours are well."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.entrypoints.conftest import Later
from tests.unit.entrypoints.hostile import Panic, Refusing, check_evidence
from tidemill import seconds
from tidemill.domain.lifecycle import State


class Text(str):
    """A text that answers nothing."""

    __slots__ = ()

    def _refuse(self, *_):
        raise Panic("text")

    encode = __len__ = __getitem__ = replace = find = startswith = __format__ = __str__ = __hash__ = _refuse


class Meta(type):
    def __getattribute__(cls, name):
        raise Panic(name)


class StrError(Exception):
    def __str__(self):
        raise Panic("str")

    __repr__ = __str__


class ExitInStrError(Exception):
    def __str__(self):
        raise SystemExit(3)


class TextError(Exception):
    def __str__(self):
        return Text("what")


class AttributesError(Exception):
    def __getattribute__(self, name):
        raise Panic(name)


class ResponseError(Exception):
    @property
    def response(self):
        raise RuntimeError("no response was set")


class ClassError(Exception):
    @property
    def __class__(self):
        raise Panic("class")


class SlotsError(Exception):
    __slots__ = ("code", "status")


class EndlessNotesError(Exception):
    @property
    def __notes__(self):
        while True:
            yield "again"


def metaclass_error():
    # Not a class of the module: pytest would look at it.
    return Meta("MetaError", (Exception,), {})()


def error_with(**attributes):
    error = Exception("boo")
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


def cause_cycle():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def deep(make, levels=3_000):
    error = make("deep", [ValueError("inside")])
    for _ in range(levels):
        error = make("deep", [error])
    return error


def wide():
    """A group of very many members in very little memory."""
    error = ValueError("inside")
    for _ in range(9):
        error = ExceptionGroup("wide", [error] * 60)
    return error


class QuietError(ValueError):
    def __str__(self):
        return "quiet"

    __repr__ = __str__


def carried():
    error = QuietError("inside")
    for _ in range(9):
        error = QuietError(*([error] * 300))
    return error


def type_named(qualname, module="m"):
    return type("Named", (Exception,), {"__qualname__": qualname, "__module__": module})("what")


RAISED = {
    "panic": lambda: Panic("a library in Rust"),
    "base": lambda: BaseException("base"),
    "keyboard": KeyboardInterrupt,
    "generator-exit": GeneratorExit,
    "exit": lambda: SystemExit(1),
    "exit-404": lambda: SystemExit(404),
    "exit-object": lambda: SystemExit(Refusing()),
    "cancelled": asyncio.CancelledError,
    "stop-iteration": lambda: StopIteration(3),
    "stop-async-iteration": StopAsyncIteration,
    "memory": MemoryError,
    "recursion": RecursionError,
    "group-of-panic": lambda: BaseExceptionGroup("tasks", [Panic()]),
    "deep-group": lambda: deep(ExceptionGroup),
    "deep-base-group": lambda: deep(BaseExceptionGroup),
    "wide-group": wide,
    "carried": carried,
    "cause-cycle": cause_cycle,
    "str": StrError,
    "exit-in-str": ExitInStrError,
    "text-subclass": TextError,
    "metaclass": metaclass_error,
    "attributes": AttributesError,
    "class": ClassError,
    "slots": SlotsError,
    "endless-notes": EndlessNotesError,
    "response-raises": ResponseError,
    "response-refuses": lambda: error_with(response=Refusing()),
    "headers-refuse": lambda: error_with(status=429, headers=Refusing()),
    "headers-of-refusing": lambda: error_with(status=429, headers={"Retry-After": Refusing()}),
    "status-refuses": lambda: error_with(status=Refusing()),
    "botocore-refuses": lambda: error_with(response={"Error": Refusing(), "ResponseMetadata": Refusing()}),
    "botocore-status-list": lambda: error_with(response={"Error": {}, "ResponseMetadata": {"HTTPStatusCode": [5]}}),
    "surrogates": lambda: ValueError("\ud800\udfff\x00" * 9_000),
    "huge": lambda: ValueError("x" * 20_000_000),
    "huge-quotes": lambda: ValueError("input_value=" * 400_000),
    "huge-number": lambda: ValueError(10**10_000),
    "huge-type": lambda: type_named("x" * 1_000_000),
    "surrogate-type": lambda: type_named("x\ud800"),
    "module-no-text": lambda: type_named("x", Refusing()),
}


def raises(name):
    def behave(_):
        error = RAISED[name]()
        raise error

    return behave


@pytest.mark.parametrize("kind", ["def", "async"])
@pytest.mark.parametrize("name", RAISED)
def test_whatever_a_job_raises_is_its_own_outcome(make_worker, name, kind):
    worker = make_worker(timeout=seconds(20))
    worker.does["bad"] = raises(name)
    hostile = "bad" if kind == "def" else Later(name="bad")
    one, bad, two, three = worker.submit("one", hostile, "two", Later(name="three"))

    staying = worker.invoke(seconds(30))

    states = worker.states()
    assert [states[job_id] for job_id in (one, two, three)] == [State.SUCCEEDED] * 3
    record = worker.record(bad)
    assert record.state in (State.RETRYING, State.DEAD, State.SCHEDULED)
    assert record.crashes == 0
    assert len(staying) <= 1
    check_evidence(worker, bad)
    assert not worker.processor.is_spent
