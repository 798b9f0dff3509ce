"""Appends whose answer is lost, and appends together with other writes, on the account in memory."""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from tests.streams import Moved, Opened, account
from tidemill.aws.events import DynamoEvents
from tidemill.errors import AppendConflictError, SettingsError, UnavailableError
from tidemill.service.streams import Streams
from tidemill.streams import connect_read_models, connect_streams

WRITES = ("put_item", "transact_write_items")


class Line:
    """A client whose next writes go wrong: `lost` is done and not answered, `down` is not done."""

    def __init__(self, client, *ills):
        self.client, self.ills = client, list(ills)

    def __getattr__(self, name):
        call = getattr(self.client, name)
        if name not in WRITES:
            return call

        def going_wrong(**arguments):
            ill = self.ills.pop(0) if self.ills else None
            if ill == "down":
                raise EndpointConnectionError(endpoint_url="https://dynamodb")
            answer = call(**arguments)
            if ill == "lost":
                raise ConnectionClosedError(endpoint_url="https://dynamodb")
            return answer

        return going_wrong


@pytest.fixture
def over(deployment):
    """Streams over a line with ills."""
    program = deployment.program

    def made(*ills):
        store = DynamoEvents(Line(program.clients.dynamodb, *ills), program.settings.events_table)
        return Streams(store, program.clock, program.random)

    return made


@pytest.mark.parametrize("events", [[Moved(cents=1)], [Opened(owner="ada"), Moved(cents=1)]])
@pytest.mark.parametrize("once", [None, "payment-1"])
def test_a_lost_answer_is_found_to_be_written(over, events, once):
    streams = over("lost")
    loaded = streams.append(streams.load(account, "7"), *events, once=once)

    assert loaded.version == len(events)
    assert over().load(account, "7") == loaded


def test_what_was_not_sent_may_be_sent_again(over):
    streams = over("down")
    pending = streams.prepare(streams.load(account, "7"), Moved(cents=1))
    with pytest.raises(UnavailableError):
        streams.commit(pending)

    assert over().load(account, "7").version == 0
    assert streams.commit(pending).version == streams.commit(pending).version == 1


def test_a_lost_answer_is_no_conflict_though_somebody_appends_behind_it(over):
    streams = over("lost")
    pending = streams.prepare(streams.load(account, "7"), Moved(cents=1))
    streams.commit(pending)
    over().change(account, "7", lambda _: [Moved(cents=2)])

    assert streams.commit(pending).version == 1
    assert over().load(account, "7").state.cents == 3


def beside(deployment, condition="attribute_not_exists(pk)"):
    item = {"pk": {"S": "default#order-7"}, "sk": {"S": "ORDER"}}
    return {"Put": {"TableName": deployment.program.settings.table, "Item": item, "ConditionExpression": condition}}


def test_what_is_beside_is_written_in_the_same_transaction(deployment):
    streams = deployment.program.streams
    loaded = streams.append(streams.load(account, "7"), Moved(cents=1), beside=[beside(deployment)])

    assert loaded.version == 1
    assert ("default#order-7", "ORDER") in deployment.account.tables[deployment.program.settings.table].items


def test_what_is_beside_and_refused_lets_nothing_be_written(deployment):
    streams = deployment.program.streams
    with pytest.raises(AppendConflictError) as refused:
        streams.append(streams.load(account, "7"), Moved(cents=1), beside=[beside(deployment, "attribute_exists(pk)")])

    assert refused.value.expected == refused.value.actual == 0
    assert streams.load(account, "7").version == 0


def test_a_program_finds_its_streams_and_read_models_by_its_environment(deployment):
    connect_streams().change(account, "7", lambda _: [Moved(cents=1)])
    deployment.poll()

    from tests.integration.events.conftest import balances

    assert connect_read_models().get(balances, "7").shown.cents == 1


def test_a_stack_without_streams_says_so(deployment, monkeypatch):
    for name in ("EVENTS", "LINES"):
        monkeypatch.delenv(f"TIDEMILL_{name}_TABLE")
    with pytest.raises(SettingsError, match="declares no streams"):
        connect_streams()
    with pytest.raises(SettingsError, match="declares no projections"):
        connect_read_models()
