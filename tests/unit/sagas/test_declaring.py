"""A saga that can't work is refused while it is built: the place is named, and so is the fix."""

import pytest
from pydantic import BaseModel, Field

from tests.unit.sagas.orders import (
    JOBS,
    Charge,
    OrderArgs,
    charge_card,
    check_fraud,
    given,
    release_stock,
    reserve,
    reserve_stock,
    ship_parcel,
    unwrap,
    wrap_up,
)
from tidemill import JobArgs, JobRegistry, Lane, Retry, days, hours, job, minutes, seconds
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.saga.room import room_for_args
from tidemill.domain.saga.words import CLOSE_KIND
from tidemill.sagas import Saga, arguments, parallel, step, undo

SOON = {"timeout": minutes(1)}


class Other(JobArgs):
    order_id: str
    city: str | None = None


class Nested(JobArgs):
    class Address(BaseModel):
        city: str
        street: str = Field(alias="way")

    address: Address


class Aliased(JobArgs, kind="test.aliased"):
    order_id: str = Field(alias="order")


class Loose(JobArgs, kind="test.loose"):
    note: str | None = None
    share: float = 0.5
    tags: list[str] = Field(default_factory=list)


@job(Aliased)
def aliased(args, ctx):
    pass


@job(Loose)
def loose(args, ctx):
    pass


@job(Loose, retry=Retry(max_attempts=5))
def impatient(args, ctx):
    pass


def saga(*steps, args=OrderArgs, name="test.saga"):
    return Saga(name, args, steps=list(steps))


def a_step(name="one", of=wrap_up, **options):
    return step(name, of, **{**SOON, **options})


def charged(**args):
    return step("charge", charge_card, args=args, **SOON)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: saga(name="Bad Name"), r"Saga\('Bad Name'\): name: must be lower-case"),
        (saga, r"saga 'test\.saga' has no steps"),
        (lambda: saga("x"), r"'x' in `steps` is no step"),
        (lambda: saga(a_step(), args=BaseModel), r"args is .*BaseModel.*Fix: give a JobArgs class"),
        (lambda: saga(step("one", wrap_up)), r"step 'one' has no timeout, and could wait for ever\. Fix"),
        (lambda: saga(a_step(timeout=60)), r"step 'one': timeout is 60\. Fix: give a span"),
        (lambda: saga(a_step(timeout=seconds(0))), r"step 'one' has timeout 0:00:00\. Fix: choose 1 s to 14 days"),
        (lambda: saga(a_step(timeout=days(15))), r"has timeout 15 days, 0:00:00\. Fix"),
        (lambda: saga(a_step(of=print)), r"step 'one': job is .*Fix: name a function that is decorated"),
        (lambda: saga(a_step(compensate=print)), r"step 'one': compensate is .*Fix: give a Undo"),
        (lambda: saga(a_step(compensate=undo(print))), r"compensate is .*Fix: name a function with @job"),
        (
            lambda: saga(a_step(compensate=undo(impatient))),
            r"gives up after 5 attempts, .*max_attempts=10",
        ),
        (lambda: saga(a_step(when=True)), r"step 'one': when is True\. Fix: give a Condition"),
        (lambda: saga(a_step(pivot=1)), r"step 'one': pivot is 1\. Fix: give a bool"),
        (lambda: saga(a_step("One")), r"'One' names no step\. Fix: lower-case words joined by _"),
        (lambda: saga(a_step("x" * 33)), r"names no step\. Fix: .* 32 characters at most"),
        (lambda: saga(a_step(), a_step()), r"has two steps named 'one'\. Fix: rename one"),
        (lambda: saga(a_step(), parallel("one", a_step("a"), a_step("b"))), r"two steps named 'one'"),
        (lambda: saga(parallel("both", a_step("a"))), r"parallel\('both'\) needs two branches or more"),
        (lambda: saga(parallel("both", a_step("a"), [])), r"parallel\('both'\) needs two branches or more"),
        (lambda: saga(parallel("both", a_step("a"), ["b"])), r"'b' in parallel\('both'\) is no step"),
        (
            lambda: saga(parallel("both", a_step("a"), [a_step("b", timeout=days(8)), a_step("c", timeout=days(8))])),
            r"a branch of parallel\('both'\) may take 16 days.*add up to 14 days",
        ),
        (lambda: saga(parallel("both", a_step("a", pivot=True), a_step("b"))), r"a pivot is in parallel\('both'\)"),
        (lambda: saga(a_step("a", pivot=True), a_step("b", pivot=True)), r"has two pivots, 'a' and 'b'"),
        (lambda: saga(a_step(when=given.gift.is_(True))), r"has only steps with a condition"),
        (
            lambda: saga(a_step("a"), a_step("b", pivot=True, when=given.gift.is_(True))),
            r"pivot 'b' has a condition\. Fix: let it always run",
        ),
        (
            lambda: saga(a_step("a", pivot=True), a_step("b", compensate=undo(unwrap))),
            r"step 'b' has a compensation and comes after pivot 'a', from where nothing is undone\. Fix",
        ),
        (
            lambda: saga(*(a_step(f"s{number}") for number in range(51))),
            r"has 51 steps\. Fix: at most 50",
        ),
    ],
)
def test_a_saga_that_cannot_work_is_refused(make, words):
    with pytest.raises(DefinitionError, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: given.orderid, r"the saga's arguments has no field 'orderid'\. Fix: name one of OrderArgs: order_id"),
        (lambda: given.order_id.first, r"the saga's arguments\.order_id is str, which has no field 'first'"),
        (lambda: arguments(Nested).address.way, r"arguments\.address has no field 'way'"),
        (lambda: arguments(Nested).address.street, r"address\.street has an alias"),
        (
            lambda: reserve.result.shelve,
            r"reserve\.result has no field 'shelve'\. Fix: .* Reserved: shelf, count",
        ),
        (lambda: a_step().result.x, r"one\.result is Any, which has no field 'x'\. Fix: .*return type"),
        (lambda: given.order_id.is_(3), r"compares the saga's arguments\.order_id, which is str, with 3"),
        (lambda: given.gift.is_("yes"), r"which is bool, with 'yes'"),
        (lambda: given.cents.is_(True), r"which is int, with True"),
        (lambda: given.cents.above("3"), r"compares with '3'\. Fix: is_"),
        (lambda: given.gift.is_(None), r"compares with None"),
        (lambda: given.gift.above(True), r"compares with True"),
        (
            lambda: saga(a_step(of=charge_card, args={"cents": given.cents})),
            r"step 'one': Charge\.shelf is filled with nothing\. Fix: args=\{'shelf': \.\.\.\}",
        ),
        (lambda: saga(a_step(of=charge_card)), r"Charge\.shelf is filled with nothing"),
        (lambda: saga(a_step(args={"x": 1})), r"step 'one': Wrap has no field 'x'\. Fix: name one of: order_id"),
        (lambda: saga(a_step(args=[1])), r"step 'one': args is \[1\]"),
        (lambda: saga(charged(cents=given.cents, shelf=given.cents)), r"Charge\.shelf is str, .*\.cents is int"),
        (lambda: saga(charged(cents=given.gift, shelf="a")), r"Charge\.cents is int, .*\.gift is bool"),
        (lambda: saga(charged(cents="5", shelf="a")), r"Charge\.cents does not take '5'"),
        (lambda: saga(charged(cents=5, shelf=object())), r"give a reference, or a constant of JSON"),
        (lambda: saga(a_step(of=loose, args={"tags": [given.order_id]})), r"a reference stands inside of"),
        (lambda: saga(a_step(of=loose, args={"tags": {"a.$": 1}})), r"constant of JSON"),
        (lambda: saga(a_step(of=aliased)), r"Aliased\.order_id has an alias"),
        (
            lambda: saga(charged(cents=5, shelf=reserve.result.shelf), reserve),
            r"step 'charge' takes reserve\.result\.shelf, and step 'reserve' is not over by then\. Fix",
        ),
        (lambda: saga(charged(cents=5, shelf=reserve.result.shelf)), r"takes reserve\.result\.shelf, which is no step"),
        (
            lambda: saga(parallel("both", reserve, charged(cents=5, shelf=reserve.result.shelf))),
            r"step 'reserve' is not over by then",
        ),
        (
            lambda: saga(
                step("r", reserve_stock, compensate=undo(loose_undo, args={"note": given.cents}), **SOON),
            ),
            r"step 'r', compensation: Loose\.note is str \| None, .*\.cents is int",
        ),
        (
            lambda: saga(
                maybe := step("maybe", reserve_stock, when=given.gift.is_(True), **SOON),
                charged(cents=5, shelf=maybe.result.shelf),
            ),
            r"takes maybe\.result\.shelf, and step 'maybe' may be left out\. Fix: give both the same condition",
        ),
        (
            lambda: saga(a_step(of=loose, args={"note": arguments(Other).city})),
            r"the saga's arguments has no field 'city'",
        ),
        (
            lambda: saga(a_step(of=loose, args={"note": arguments(Other).order_id}), args=Nested),
            r"has no field 'order_id'\. Fix: name one of Nested",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(make, words):
    with pytest.raises(DefinitionError, match=words):
        make()


@job(Loose, retry=Retry(max_attempts=25))
def loose_undo(args, ctx):
    pass


def test_what_fits_is_taken():
    gift = given.gift.is_(True)
    maybe = step("maybe", reserve_stock, when=gift, **SOON)
    made = saga(
        maybe,
        step("use", charge_card, args={"cents": 5, "shelf": maybe.result.shelf}, when=given.gift.is_(True), **SOON),
        a_step("loose", of=loose, args={"note": given.order_id, "share": given.cents, "tags": ["a"]}),
        a_step("none", of=loose, args={"note": None}),
        a_step("not_a_gift", when=~gift),
    )

    assert [one.name for one in made] == ["maybe", "use", "loose", "none", "not_a_gift"]
    assert list(made.step("maybe").args) == ["order_id"]


def test_nested_fields_are_reached():
    nested = arguments(Nested)
    made = saga(a_step(of=loose, args={"note": nested.address.city}), args=Nested)

    assert repr(made.step("one").args["note"]) == "the saga's arguments.address.city"


def test_the_point_of_no_return_is_the_pivot_or_the_last_step_that_always_runs():
    gift = given.gift.is_(True)

    assert saga(a_step("a"), a_step("b", pivot=True), a_step("c")).point_of_no_return.name == "b"
    assert saga(a_step("a"), a_step("b"), a_step("c", when=gift)).point_of_no_return.name == "b"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JobRegistry(*JOBS, sagas=[crowded()]), r"leaves no room for its arguments.*Fix: let fewer"),
        (lambda: JobRegistry(*JOBS, sagas=5), r"sagas is 5\. Fix: sagas=\[place_order\]"),
        (lambda: JobRegistry(*JOBS, sagas=["x"]), r"'x' in `sagas` is no saga"),
        (lambda: JobRegistry(*JOBS, sagas=[saga(a_step()), saga(a_step())]), r"two sagas are named 'test\.saga'"),
        (
            lambda: JobRegistry(*JOBS, sagas=[saga(a_step()), saga(a_step(), name="test-saga")]),
            r"sagas 'test\.saga' and 'test-saga' differ in",
        ),
        (
            lambda: JobRegistry(wrap_up, sagas=[saga(reserve)]),
            r"saga 'test\.saga': step 'reserve' is job 'stock\.reserve', which is not listed",
        ),
        (
            lambda: JobRegistry(reserve_stock, sagas=[saga(reserve)]),
            r"the compensation of step 'reserve' is job 'stock\.release', which is not listed",
        ),
        (
            lambda: JobRegistry(
                in_order, lanes=(Lane("default"), Lane("entities", fifo=True)), sagas=[saga(a_step(of=in_order))]
            ),
            r"step 'one' is job 'test\.loose' of FIFO lane 'entities'.*Fix: give the job a standard lane",
        ),
    ],
)
def test_a_registry_refuses_sagas_that_its_jobs_do_not_fit(make, words):
    with pytest.raises(DefinitionError, match=words):
        make()


def crowded():
    """Twenty steps that tell something, beside each other, and one that wants to know it all."""
    tellers = [step(f"t{number}", reserve_stock, **SOON) for number in range(20)]
    users = [charged_by(one) for one in tellers]
    return saga(parallel("many", *tellers), *users)


def charged_by(one):
    return step(f"use_{one.name}", charge_card, args={"cents": 1, "shelf": one.result.shelf}, **SOON)


@job(Loose, lane="entities")
def in_order(args, ctx):
    pass


def test_a_registry_knows_its_sagas_and_the_job_that_closes_their_steps():
    made = saga(a_step())
    registry = JobRegistry(*JOBS, sagas=[made])

    assert registry.saga("test.saga") is made
    assert registry.resolve(CLOSE_KIND).lane == "critical"
    assert not JobRegistry(*JOBS).sagas
    with pytest.raises(InputError, match=r"saga: no saga 'test\.sage'; known: test\.saga"):
        registry.saga("test.sage")


def test_the_arguments_have_what_the_steps_and_branches_leave():
    assert room_for_args(saga(a_step())) == 65_536
    assert room_for_args(saga(parallel("many", *(a_step(f"s{number}") for number in range(5))))) == 49_152
    several = saga(parallel("many", reserve, *(a_step(f"s{number}") for number in range(4))), charged_by(reserve))
    assert room_for_args(several) == 49_152 - 2_048


def test_steps_hold_what_they_were_made_of():
    assert (ship_parcel.kind, check_fraud.kind, Charge.job_kind) == ("parcel.ship", "fraud.check", "card.charge")
    assert hours(1) > SOON["timeout"]
    assert release_stock.retry.max_attempts == 25
