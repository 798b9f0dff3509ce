"""What snapshots say of a program, and what their files hold."""

import json

import pytest

from tests.streams import Account, Moved, account, apply
from tidemill import JobArgs, JobRegistry, job
from tidemill.domain.event import Event
from tidemill.domain.schema.judging import Described, described_in, judge, renewed
from tidemill.domain.schema.shape import schema_of
from tidemill.domain.schema.snapshot import Part, Snapshot, SnapshotError, read_snapshot
from tidemill.domain.stream import Stream
from tidemill.schemas import read_snapshots, write_snapshots
from tidemill.versions import upcasts


class Charge(JobArgs, kind="pay.charge"):
    amount: int
    note: str = ""


class ChargeForLess(JobArgs, kind="pay.charge"):
    amount: int


class ChargeInText(JobArgs, kind="pay.charge"):
    amount: str


class ChargeAnew(JobArgs, kind="pay.charge", version=2):
    amount: str

    @upcasts(1)
    @staticmethod
    def _as_text(document):
        return {"amount": str(document["amount"])}


class Bill(JobArgs, kind="pay.bill", aliases=("pay.charge",)):
    amount: int


class BillInText(JobArgs, kind="pay.bill", aliases=("pay.charge",)):
    amount: str


class OrderPlaced(Event, type="order.placed"):
    order: str


def program(*models):
    return described_in(JobRegistry(*(job(model, lane="bulk")(lambda args, ctx: None) for model in models)))


def taken(*models):
    return renewed(program(*models), [])


def said(models, snapshots):
    return [(one.refused, one.lane, str(one)) for one in judge(program(*models), snapshots)]


def test_without_snapshots_there_is_one_hint():
    ((refused, _, hint),) = said([Charge], [])

    assert (refused, "Fix: run `tidemill schema snapshot`" in hint) == (False, True)
    assert judge([], []) == []


def test_what_is_as_it_was_is_silent():
    assert said([Charge], taken(Charge)) == []


def test_what_breaks_is_refused_with_the_field_and_every_way_out():
    ((refused, lane, message),) = said([ChargeInText], taken(Charge))

    assert (refused, lane) == (True, "bulk")
    assert "job pay.charge version 1: args.amount was integer, and is string" in message
    assert "version=2)" in message
    assert "@upcasts(1)" in message
    assert "delete pay.charge.v1.json" in message


def test_an_upcaster_answers_it():
    found = said([ChargeAnew], taken(Charge))

    assert [refused for refused, _, _ in found] == [False]
    assert "version 2 has no schema snapshot" in found[0][2]
    assert said([ChargeAnew], [*taken(Charge), *taken(ChargeAnew)]) == []


def test_what_breaks_nothing_asks_for_a_new_snapshot():
    ((refused, _, message),) = said([Charge], taken(ChargeForLess))

    assert not refused
    assert "breaks nothing, but args.note is new, and may be left out" in message


def test_there_is_no_way_back_to_an_earlier_version():
    found = said([Charge], [*taken(Charge), *taken(ChargeAnew)])

    assert [refused for refused, _, _ in found] == [True]
    assert "pay.charge.v2.json says that version 2 was deployed" in found[0][2]
    assert "version=3" in found[0][2]


def test_a_job_that_is_gone_is_refused_until_something_answers_for_it():
    gone = said([], taken(Charge))
    renamed = said([Bill], taken(Charge))

    assert [refused for refused, _, _ in gone] == [True]
    assert "aliases=('pay.charge',)" in gone[0][2]
    assert "delete the snapshot" in gone[0][2]
    assert [(refused, "has no schema snapshot" in text) for refused, _, text in renamed] == [(False, True)]


def test_a_job_under_another_name_reads_what_came_under_the_old_one():
    found = said([BillInText], taken(Charge))

    assert [refused for refused, _, _ in found] == [True, False]
    assert "args.amount was integer" in found[0][2]


def test_events_are_judged_as_arguments_are():
    now = [Described(Part.EVENT, "order.placed", 1, schema_of(OrderPlaced))]
    (kept,) = renewed(now, [])
    other = [Described(Part.EVENT, "order.placed", 1, schema_of(Charge))]
    (judged, *_) = judge(other, [kept])

    assert judge(now, [kept]) == []
    assert (judged.refused, "data.amount is new and required" in judged.problem) == (True, True)
    assert "(Event, type=" in judged.fix
    assert "is gone" in judge([], [kept])[0].problem
    # A job of the same name is another contract.
    assert judge(program(Charge), [kept])[0].refused


def test_events_of_streams_are_judged_though_nobody_publishes_them():
    now = described_in(JobRegistry(streams=[account]))

    assert [(one.part, one.name, one.version) for one in now] == [
        (Part.EVENT, "account.opened", 1),
        (Part.EVENT, "account.moved", 1),
    ]


def test_a_renamed_field_of_a_stored_fact_is_refused():
    class Renamed(Event, type="account.moved"):
        amount: int

    kept = renewed(described_in(JobRegistry(streams=[account])), [])
    opened, *_ = account.events
    changed = Stream("account", events=[opened, Renamed], start=Account(), apply=apply)
    judged = judge(described_in(JobRegistry(streams=[changed])), kept)

    assert {(one.name, one.refused) for one in judged} == {("account.moved", True)}
    assert "data.amount is new and required" in judged[0].problem


def test_an_event_that_is_published_and_stored_has_one_snapshot():
    registry = JobRegistry(streams=[account], events=[Moved])

    assert sorted(one.name for one in described_in(registry)) == ["account.moved", "account.opened"]


def test_jobs_of_tidemill_itself_have_no_snapshots():
    class Own(JobArgs, kind="tidemill.own"):
        pass

    assert program(Own) == []


# --- files ----------------------------------------------------------------------------------------


def test_a_field_that_was_taken_out_keeps_its_name_for_what_it_was():
    """What the snapshot of today shows is not all that was written under this version."""
    (first,) = taken(Charge)
    (second,) = renewed(program(ChargeForLess), [first])

    class NumberedNote(JobArgs, kind="pay.charge"):
        amount: int
        note: int = 0

    assert second.earlier == (first.schema,)
    assert [one.refused for one in judge(program(ChargeForLess), [second])] == []
    assert [one.refused for one in judge(program(Charge), [second])] == [False]
    ((refused, _, message),) = said([NumberedNote], [second])
    assert (refused, "args.note was string, and is integer" in message) == (True, True)


def test_nothing_is_written_that_is_there():
    assert renewed(program(Charge), taken(Charge)) == []


def test_files_are_read_as_they_were_written(tmp_path):
    (first,) = taken(Charge)
    (second,) = renewed(program(ChargeForLess), [first])
    event = Snapshot(Part.EVENT, "order.placed", 3, schema_of(OrderPlaced))
    written = write_snapshots(tmp_path / "schemas", [second, event])

    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "schemas/pay.charge.v1.json",
        "schemas/events/order.placed.v3.json",
    ]
    assert read_snapshots(tmp_path / "schemas") == [second, event]
    assert written[0].read_text().endswith("}\n")
    assert read_snapshots(tmp_path / "nowhere") == []


def test_a_file_says_nothing_but_what_is_meant():
    text = taken(Charge)[0].text()

    assert list(json.loads(text)) == ["kind", "schema", "version"]
    assert "title" not in text


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pay.charge.json", "{}"),
        ("pay.charge.v0.json", "{}"),
        ("pay.charge.v1.json", "no json"),
        ("pay.charge.v1.json", "[]"),
        ("pay.charge.v1.json", "{}"),
        ("pay.charge.v1.json", '{"kind":"pay.charge","version":"1","schema":{}}'),
        ("pay.charge.v1.json", '{"kind":"Not A Kind","version":1,"schema":{}}'),
        ("pay.charge.v2.json", '{"kind":"pay.charge","version":1,"schema":{}}'),
        ("pay.other.v1.json", '{"kind":"pay.charge","version":1,"schema":{}}'),
        ("pay.charge.v1.json", '{"kind":"pay.charge","version":1,"schema":[]}'),
        ("pay.charge.v1.json", '{"kind":"pay.charge","version":1,"schema":{},"earlier":[1]}'),
        ("pay.charge.v1.json", '{"kind":"pay.charge","version":1,"schema":{},"earlier":1}'),
    ],
)
def test_a_file_that_is_no_snapshot_is_named_with_the_fix(file, text):
    with pytest.raises(SnapshotError, match=rf"schema snapshot {file} .*Fix:"):
        read_snapshot(Part.ARGS, file, text)
