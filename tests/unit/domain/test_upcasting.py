"""Versions of contracts: what a class statement may say, and how bytes of an earlier version are read."""

import json

import pytest

from tidemill import JobArgs
from tidemill.domain.errors import DefinitionError, InputError, InvalidArgsError
from tidemill.domain.event import Event
from tidemill.domain.version_errors import NewerVersionError, UpcastError
from tidemill.versions import upcasts


class Charge(JobArgs, kind="pay.charge", version=3):
    cents: int
    currency: str

    @upcasts(1)
    @staticmethod
    def _in_cents(document):
        document["cents"] = round(document.pop("euros") * 100)
        return document

    @upcasts(2)
    @staticmethod
    def _with_currency(document):
        return {**document, "currency": "EUR"}


class OrderPlaced(Event, type="order.placed", version=2):
    order: str

    @upcasts(1)
    def _named(document):  # noqa: N805 - a plain function becomes a static method
        return {"order": str(document["number"])}


@pytest.mark.parametrize(
    ("document", "version"),
    [
        ({"euros": 1.5}, 1),
        ({"cents": 150}, 2),
        ({"cents": 150, "currency": "EUR"}, 3),
    ],
)
def test_each_version_is_read_as_the_current_one(document, version):
    read = Charge.from_message(json.dumps(document).encode(), version)

    assert read == Charge(cents=150, currency="EUR")
    assert Charge.from_input(document, version) == read


def test_a_document_without_a_version_is_the_current_one_where_it_is_made():
    assert Charge.from_input({"cents": 1, "currency": "EUR"}).cents == 1


def test_events_have_versions_too():
    assert OrderPlaced.from_message(b'{"number":7}', 1) == OrderPlaced(order="7")
    assert (OrderPlaced.contract_version, Charge.contract_version) == (2, 3)


def test_the_caller_keeps_the_document_that_was_given():
    given = {"euros": 1}

    Charge.from_input(given, 1)

    assert given == {"euros": 1}


def test_who_reads_ignores_what_an_upcaster_leaves_over_and_who_makes_is_told():
    old = {"euros": 1, "note": "x"}

    assert Charge.from_message(json.dumps(old).encode(), 1).cents == 100
    with pytest.raises(InvalidArgsError, match=r"args\.note"):
        Charge.from_input(old, 1)


def test_a_newer_version_is_refused_with_its_number():
    with pytest.raises(NewerVersionError, match="is 4, this code knows Charge up to version 3") as raised:
        Charge.from_message(b"{}", 4)

    assert raised.value.code == "newer_version"
    assert raised.value.violations[0].field == "version"


@pytest.mark.parametrize("answer", [None, [], "text", {1: object()}, {"x": float("nan")}])
def test_an_upcaster_that_answers_no_document_is_named(answer):
    class Odd(JobArgs, kind="odd", version=2):
        @upcasts(1)
        @staticmethod
        def _odd(_):
            return answer

    with pytest.raises(UpcastError, match=r"version 1 and can't be made version 2.*@upcasts\(1\)"):
        Odd.from_message(b"{}", 1)


def test_what_an_upcaster_raises_is_told_by_its_type_only():
    with pytest.raises(UpcastError, match="raised KeyError") as raised:
        Charge.from_message(b'{"secret":"s3cret"}', 1)

    assert "s3cret" not in str(raised.value)
    assert raised.value.code == "upcast"
    assert isinstance(raised.value, InputError)


def test_the_step_that_failed_is_named():
    class Late(JobArgs, kind="late", version=3):
        @upcasts(1)
        @staticmethod
        def _one(document):
            return document

        @upcasts(2)
        @staticmethod
        def _two(document):
            raise RuntimeError(document)

    with pytest.raises(UpcastError, match="version 2 and can't be made version 3"):
        Late.from_message(b"{}", 1)


def declare(version=None, steps=(), base=JobArgs, **named):
    namespace = {"__module__": __name__}
    for place, step in enumerate(steps):
        namespace[f"_step_{place}"] = upcasts(step)(lambda document: document)
    keywords = {**named, **({} if version is None else {"version": version})}
    return type(base)("Made", (base,), namespace, **keywords)


@pytest.mark.parametrize(
    ("version", "steps", "message"),
    [
        (2, (), r"no upcaster from version 1.*Fix: add a static method @upcasts\(1\)"),
        (3, (1,), "no upcaster from version 2"),
        (3, (2,), "no upcaster from version 1"),
        (2, (1, 1), "two upcasters from version 1"),
        (None, (1,), r"is version 1 and has an upcaster from version 1. Fix: class Made\(..., version=2\)"),
        (2, (1, 2), "is version 2 and has an upcaster from version 2"),
        (0, (), "version is 0. Fix: a whole number from 1"),
        (-1, (), "version is -1"),
        (True, (), "version is True"),
        ("2", (1,), "version is '2'"),
        (10_000, (), "version is 10000"),
    ],
)
@pytest.mark.parametrize("named", [{"kind": "made.up"}, {"base": Event, "type": "made.up"}])
def test_a_chain_that_does_not_fit_is_refused_when_the_class_is_made(version, steps, message, named):
    with pytest.raises(DefinitionError, match=message):
        declare(version, steps, **named)


@pytest.mark.parametrize(("version", "steps"), [(2, ()), (1, ()), (None, (1,))])
@pytest.mark.parametrize("base", [JobArgs, Event])
def test_a_class_without_a_name_has_no_versions(base, version, steps):
    with pytest.raises(DefinitionError, match="no name of its own"):
        declare(version, steps, base=base)


@pytest.mark.parametrize("step", [0, -1, True, "1", 1.0, None, 9_999])
def test_an_upcaster_begins_at_a_version(step):
    with pytest.raises(DefinitionError, match="must name the version it begins at"):
        upcasts(step)


@pytest.mark.parametrize("wrong", [7, int, None])
def test_an_upcaster_is_a_function(wrong):
    with pytest.raises(DefinitionError, match=r"@upcasts\(1\) stands on"):
        upcasts(1)(wrong)


def test_versions_belong_to_a_name():
    class Special(Charge):
        """No kind of its own: the same contract."""

    class Other(Charge, kind="pay.other"):
        """Another kind begins anew."""

    assert (Special.contract_version, len(Special.contract_upcasters)) == (3, 2)
    assert (Other.contract_version, Other.contract_upcasters) == (1, ())
    assert Special.from_message(b'{"euros":2}', 1).cents == 200


@pytest.mark.parametrize("name", ["contract_version", "contract_upcasters", "contract_part"])
@pytest.mark.parametrize("named", [{"kind": "made.up"}, {"base": Event, "type": "made.up"}])
def test_no_field_takes_a_name_of_the_contract(name, named):
    base, keywords = named.get("base", JobArgs), {key: value for key, value in named.items() if key != "base"}

    with pytest.raises(DefinitionError, match=name):
        type(base)("Made", (base,), {"__module__": __name__, "__annotations__": {name: int}}, **keywords)
