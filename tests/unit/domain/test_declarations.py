"""A slip in a declaration is refused where it is made: the field is named, and so is the fix."""

from functools import partial
from typing import Generic, TypeVar

import pytest
from pydantic import BaseModel

from tidemill import JobArgs, JobRegistry, Lane, Retention, Retry, job, seconds
from tidemill.domain.definition import JobDefinition
from tidemill.domain.errors import DefinitionError

T = TypeVar("T")


class Parent(JobArgs, kind="test.parent"):
    x: int = 1


class Heir(Parent):
    y: int = 2


class Renamed(Parent, kind="test.renamed"):
    pass


class Box(JobArgs, Generic[T], kind="test.box"):
    value: T


class Marked(BaseModel):
    job_kind: str


def of(function=lambda args, ctx: None, args_type=Parent, **options):
    return job(args_type, **options)(function)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lane(5), r"Lane\(5\): lane: must be a string"),
        (lambda: Lane("a", batch_size=2.5), r"Lane\('a'\)\.batch_size is 2\.5\. Fix: give a whole number, 1 to 10000"),
        (lambda: Lane("a", batch_size=True), r"batch_size is True\. Fix: give a whole number"),
        (lambda: Lane("a", concurrency="x"), r"concurrency is 'x'\. Fix"),
        (lambda: Lane("a", max_concurrency=None), r"max_concurrency is None\. Fix"),
        (lambda: Lane("a", memory_mb=512.0), r"memory_mb is 512\.0\. Fix"),
        (lambda: Lane("a", batch_window=1), r"Lane\('a'\)\.batch_window is 1\. Fix: give a span with its unit"),
        (lambda: Retry(max_attempts=2.5), r"Retry\.max_attempts is 2\.5\. Fix: give a whole number, 1 to 25"),
        (lambda: Retry(max_attempts=True), r"Retry\.max_attempts is True\. Fix"),
        (lambda: Retry(max_attempts=26), r"Retry\.max_attempts is 26\. Fix: choose 1 to 25"),
        (lambda: Retry(base=5), r"Retry\.base is 5\. Fix: give a span"),
        (lambda: Retry(cap="1h"), r"Retry\.cap is '1h'\. Fix: give a span"),
        (lambda: Retry(delays=[seconds(1), 1]), r"Retry\.delays\[1\] is 1\. Fix: give a span"),
        (lambda: Retry(delays=seconds(1)), r"Retry\.delays is .*Fix: give a sequence"),
        (lambda: Retry(jitter="ful"), r"Retry\.jitter is 'ful'\. Fix: choose one of full, equal, decorrelated, none"),
        (lambda: Retention(result=7), r"Retention\.result is 7\. Fix: give a span"),
        (lambda: Retention(dead=None), r"Retention\.dead is None\. Fix: give a span"),
        (lambda: of(retry=3), r"job 'test\.parent': retry is 3\. Fix: give a Retry"),
        (lambda: of(retry=0), r"job 'test\.parent': retry is 0\. Fix: give a Retry"),
        (lambda: of(retention=5), r"retention is 5\. Fix: give a Retention"),
        (lambda: of(retention=seconds(0)), r"retention is .*Fix: give a Retention"),
        (lambda: of(timeout=60), r"timeout is 60\. Fix: give a span"),
        (lambda: of(on_final="rerunn"), r"on_final is 'rerunn'\. Fix: choose one of rerun, return, refuse"),
        (lambda: of(on_final=None), r"on_final is None\. Fix"),
        (lambda: of(lane=5), r"lane is 5\. Fix: give a str"),
        (lambda: of(lane=Lane("bulk")), r"lane is Lane\(.*Fix: give a str"),
        (lambda: of("not a function"), r"function is 'not a function'\. Fix: decorate"),
        (lambda: of(lambda args: None), r"function takes \(args\), .* two positional arguments.*Fix: def"),
        (lambda: of(lambda: None), r"function takes \(\), .*Fix: def"),
        (lambda: of(lambda args, *, ctx: None), r"two positional arguments.*Fix: def"),
        (lambda: of(lambda args, ctx, more: None), r"missing a required argument: 'more'.*Fix: def"),
        (lambda: job(dict), r"args_type is <class 'dict'>\. Fix: @job\(MyArgs\)"),
        (lambda: job("test.parent"), r"args_type is 'test\.parent'\. Fix: @job\(MyArgs\)"),
        (lambda: job(Parent(x=1)), r"args_type is Parent\(x=1\)\. Fix"),
        (lambda: job(lambda args, ctx: None), r"args_type is <function .*Fix: @job\(MyArgs\)"),
        (lambda: JobDefinition(dict, lambda args, ctx: None), r"args_type is <class 'dict'>\. Fix"),
        (lambda: job(JobArgs), r"JobArgs has no kind\. Fix"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_field_and_the_fix(make, words):
    with pytest.raises(DefinitionError, match=words):
        make()


class Callee:
    def __call__(self, args, ctx):
        return "called"


@pytest.mark.parametrize(
    "function",
    [
        lambda *both: "called",
        lambda args, ctx=None, more=1: "called",
        partial(lambda more, args, ctx: "called", 1),
        Callee(),
        Callee().__call__,
    ],
)
def test_whatever_takes_arguments_and_context_is_a_function(function):
    assert of(function)(Parent(), None) == "called"


def test_a_kind_is_not_inherited_because_two_classes_would_answer_to_it():
    with pytest.raises(
        DefinitionError,
        match=r"Heir has no kind of its own, .*'test\.parent'\. Fix: class Heir\(Parent, kind='\.\.\.'\)",
    ):
        job(Heir)
    with pytest.raises(DefinitionError, match="Heir has no kind of its own"):
        JobRegistry(JobDefinition(Heir, lambda args, ctx: None))


def test_an_heir_with_its_own_kind_and_a_generic_class_are_jobs():
    registry = JobRegistry(of(args_type=Renamed), of(), of(args_type=Box[int]))

    assert [definition.kind for definition in registry] == ["test.renamed", "test.parent", "test.box"]


@pytest.mark.parametrize("field", ["job_kind", "job_aliases"])
@pytest.mark.parametrize("words", [{}, {"kind": "test.broken"}])
@pytest.mark.parametrize("parent", [JobArgs, Parent])
def test_a_field_of_a_reserved_name_is_refused_when_the_class_is_made(field, words, parent):
    with pytest.raises(DefinitionError, match=rf"Broken\.{field} is a name .*Fix: rename the field"):
        type("Broken", (parent,), {"__annotations__": {field: str}}, **words)


def test_a_reserved_name_in_a_mixin_is_refused_too():
    with pytest.raises(DefinitionError, match=r"Broken\.job_kind is a name .*Fix: rename"):
        type("Broken", (Marked, JobArgs), {}, kind="test.broken")


@pytest.mark.parametrize("aliases", ["old", 5])
def test_aliases_are_a_sequence_of_kinds(aliases):
    with pytest.raises(DefinitionError, match=r"Broken: aliases is .*Fix: give a tuple"):
        type("Broken", (JobArgs,), {}, kind="test.broken", aliases=aliases)
