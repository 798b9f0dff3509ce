"""The counting account counts by AWS's rules: what the other tests here rest on."""

import pytest

from bench.cloud.account import INDEXES
from bench.cloud.meter import Meter
from bench.cloud.sqs import billed_requests
from bench.cloud.table import Index, Table
from bench.cloud.values import item_bytes, write_units
from tidemill.aws import items

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def table(meter):
    return Table("jobs", ("pk", "sk"), meter, (Index("list", ("list_pk", "list_sk")),))


def put(table, condition=None, **attributes):
    item = {**KEY, **{name: {"S": value} for name, value in attributes.items()}}
    return table.write(item, condition, lambda _: item)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "héé"}}, 2 + 5),
        ({"n": {"N": "0"}}, 1 + 1),
        ({"n": {"N": "7"}}, 1 + 2),
        ({"n": {"N": "1795379922214"}}, 1 + 8),
        ({"n": {"N": "-12"}}, 1 + 3),
        ({"b": {"BOOL": True}}, 1 + 1),
    ],
)
def test_sizes_are_those_of_the_developer_guide(item, size):
    assert item_bytes(item) == size


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1_024, 1), (1_025, 2), (2_048, 2), (2_049, 3)])
def test_a_write_costs_a_unit_for_each_started_kilobyte(size, units):
    assert write_units({"x": {"S": "y" * (size - 1)}}) == units


def test_an_update_costs_the_larger_of_before_and_after(table, meter):
    put(table, big="x" * 3_000)
    put(table, big="x")

    assert meter.table_units == 3 + 3


def test_a_refused_write_costs_what_stands_there(table, meter):
    put(table, lambda _: False)
    put(table, big="x" * 3_000)
    put(table, lambda _: False)

    assert meter.table_units == 1 + 3 + 3


def test_an_index_entry_costs_when_it_comes_changes_and_goes(table, meter):
    put(table)
    put(table, list_pk="a", list_sk="b")
    put(table, list_pk="a", list_sk="b", state="other")
    assert meter.index_units == 1

    put(table, list_pk="a", list_sk="c")
    assert meter.index_units == 1 + 2

    put(table)
    assert meter.index_units == 1 + 2 + 1


def test_every_index_of_the_jobs_table_is_counted():
    named = {value for name, value in vars(items).items() if name.endswith("_INDEX")}

    assert {index.name for index in INDEXES} == named


@pytest.mark.parametrize(("size", "requests"), [(0, 1), (65_536, 1), (65_537, 2), (1_048_576, 16)])
def test_sqs_bills_64_kilobytes_as_one_request(size, requests):
    assert billed_requests(size) == requests
