"""`tidemill stream` and `tidemill projection`."""

import json
import re
from dataclasses import replace

import pytest

from examples.guide.bank_account import Deposited, Opened, account
from examples.guide.bank_balances import balances
from tidemill.domain.stream import StreamRef

SEVEN = StreamRef("default", "account", "7")


@pytest.fixture
def bank(world):
    for key, owner in (("7", "ada"), ("8", "bob")):
        world.tide.streams.change(account, key, lambda _, o=owner: [Opened(owner=o), Deposited(cents=500)])
    world.tide.project()
    return world.tide


def answer(run, *arguments):
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_streams_are_listed_and_shown(run, bank):
    assert [one["subject"] for one in answer(run, "stream", "ls", "account")["streams"]] == ["account/7", "account/8"]
    facts = answer(run, "stream", "show", "account/7", "--after", "1")["facts"]

    assert [(one["type"], one["data"], one["sequence"]) for one in facts] == [("account.deposited", {"cents": 500}, 2)]
    assert facts[0]["source"] == "/tidemill/tidemill"
    human = run("stream", "show", "account/7").stdout
    assert "account.opened" in human
    assert '{"owner":"ada"}' in human
    assert "no streams" in run("stream", "ls", "order").stdout


def test_a_stream_is_verified(run, refused, bank):
    told = run("stream", "verify", "account/7")
    head = bank.streams.load(account, "7").head
    assert told.stdout == f"default/account/7 is whole: 2 facts, head {head}\n"
    assert answer(run, "stream", "verify", "account/7", "--witness", str(head))["whole"]

    held = bank.store.facts[SEVEN]
    held[2] = replace(held[2], fact=replace(held[2].fact, data=b'{"cents":501}'))
    broken = run("stream", "verify", "account/7")
    assert broken.exit_code == 1
    assert "fact 2 is altered" in broken.stderr
    del held[2]
    assert run("stream", "verify", "account/7").exit_code == 0
    lost = run("stream", "verify", "account/7", "--witness", str(head), "--json")
    assert json.loads(lost.stdout)["broken"] == {"version": 2, "reason": "missing"}
    assert refused("stream", "verify", "account/7", "--witness", "7") == {
        "witness": "must be VERSION:HASH as `verify` prints it, not '7'"
    }
    assert "key" in refused("stream", "show", "account")


def test_a_projection_is_shown(run, bank):
    bank.streams.change(account, "9", lambda _: [Deposited(cents=1)])
    bank.streams.change(account, "7", lambda _: [Deposited(cents=1)])
    assert answer(run, "projection", "show", "balances", "--lag")["lag"] == {"streams": 3, "behind": 2, "facts": 2}
    bank.project()
    told = answer(run, "projection", "show", "balances")

    assert (told["live"], told["filling"]) == (1, None)
    assert told["halted"] == [
        {
            "stream": "default/account/9",
            "version": 1,
            "reason": "ValueError: Deposited before the account was opened",
            "edition": 1,
        }
    ]
    run("projection", "rebuild", "balances", "--hold")
    assert [one["edition"] for one in answer(run, "projection", "show", "balances")["halted"]] == [1, 2]
    human = run("projection", "show", "balances", "--lag").stdout
    assert "edition 1 is read" in human
    assert "1 of 3 streams are behind, by 1 facts" in human
    assert "default/account/9" in human


def test_a_read_model_is_rebuilt_and_that_is_written_down(run, world, bank):
    assert answer(run, "projection", "rebuild", "balances") == {"projection": "balances", "facts": 4, "live": 2}
    assert bank.read_models.get(balances, "7").shown.cents == 500
    assert {edition for _, edition, _ in bank.lines.lines} == {2}
    (entry,) = world.trail.entries.values()
    assert (entry.action, entry.chosen, entry.outcome) == ("projection.rebuild", {"projection": "balances"}, "done")


def test_a_rebuild_is_held_compared_and_switched_or_dropped(run, bank):
    held = answer(run, "projection", "rebuild", "balances", "--hold")
    assert held == {"projection": "balances", "facts": 4, "differing": []}
    again = run("projection", "rebuild", "balances")
    assert again.exit_code == 1
    assert "is being rebuilt, as edition 2" in again.stderr
    assert answer(run, "projection", "drop", "balances")["live"] == 1
    run("projection", "rebuild", "balances", "--hold")
    assert answer(run, "projection", "rebuild", "balances", "--hold", "--go-on")["facts"] == 4
    assert "edition 3 is read from now on" in run("projection", "switch", "balances").stdout


def test_a_rebuild_that_ended_halfway_goes_on_and_is_not_switched_to(run, bank, monkeypatch):
    monkeypatch.setattr("tidemill.service.rebuilding._PAGE", 1)
    scan, calls = bank.store.scan, iter([True, True])
    monkeypatch.setattr(bank.store, "scan", lambda *place: scan(*place) if next(calls, False) else 1 / 0)
    run("projection", "rebuild", "balances", "--hold")
    monkeypatch.setattr(bank.store, "scan", scan)

    refused = run("projection", "switch", "balances")
    assert refused.exit_code == 1
    assert "edition 2 is filled in part only" in refused.stderr
    assert "tidemill projection rebuild balances --go-on" in refused.stderr
    assert bank.lines.editions("balances").live == 1
    assert answer(run, "projection", "rebuild", "balances", "--go-on")["live"] == 2


def test_every_command_that_a_refusal_names_is_there(run, bank):
    """Each refusal of a rebuild, as an operator gets it."""
    bank.streams.change(account, "9", lambda _: [Deposited(cents=1)])
    refusals = [run("projection", verb, "balances") for verb in ("switch", "drop")]
    bank.rebuilder.begin("balances")
    refusals += [run("projection", verb, "balances") for verb in ("rebuild", "switch")]
    run("projection", "rebuild", "balances", "--go-on", "--hold")
    refusals.append(run("projection", "switch", "balances"))

    for refusal in refusals:
        assert refusal.exit_code == 1
        commands = re.findall("`tidemill (.+?)`", refusal.stderr)
        assert commands, refusal.stderr
        for command in commands:
            # An option that is not there is refused before the help is shown.
            assert run(*command.split(), "--help").exit_code == 0, command


def test_streams_are_caught_up_with_and_resumed(run, bank):
    bank.streams.change(account, "7", lambda _: [Deposited(cents=1)])
    bank.streams.change(account, "9", lambda _: [Deposited(cents=1)])
    assert answer(run, "projection", "catch-up", "balances")["facts"] == 6
    assert bank.read_models.get(balances, "7").shown.cents == 501
    assert answer(run, "projection", "resume", "balances") == {"projection": "balances", "resumed": 0, "halted": 1}
    assert "0 streams go on, 1 are still halted" in run("projection", "resume", "balances").stdout


def test_an_unknown_projection_is_refused(run, bank):
    refused = run("projection", "show", "balance")

    assert refused.exit_code == 1
    assert "known: balances" in refused.stderr


def test_the_trail_is_asked_by_actor_job_and_time(run, refused, world, bank):
    run("projection", "rebuild", "balances")
    found = answer(run, "trail", "--actor", "user/ada", "--action", "projection.rebuild")["entries"]

    assert [(one["actor"], one["chosen"]) for one in found] == [("arn:aws:iam::1:user/ada", {"projection": "balances"})]
    assert "projection.rebuild" in run("trail").stdout
    assert "nothing was done" in run("trail", "--actor", "bob").stdout
    assert answer(run, "trail", "--job", "0190aaaa-0000-7000-8000-000000000001")["entries"] == []
    assert "since" in refused("trail", "--since", "1h", "--before", "2h")
