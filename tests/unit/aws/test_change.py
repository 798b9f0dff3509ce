"""One description, two forms: a single update and a statement of a batch say the same."""

import re
from dataclasses import replace

import pytest
from hypothesis import given

from tests.contract.builders import LEASE, NOW, TTL, make_claim, make_job
from tests.unit.aws.strategies import jobs
from tidemill.aws.change import claiming, moving
from tidemill.aws.items import job_of, state_item
from tidemill.aws.statements import insert_statement, update_statement
from tidemill.aws.updates import update_arguments
from tidemill.domain.lifecycle import TRANSITIONS, Guard, State, Verb, transition

NAME = r'"(\w+)"'


def of_update(update):
    """What an UpdateItem says: key, new values, increments, removals, conditions."""
    arguments = update_arguments(update)
    names, values = arguments["ExpressionAttributeNames"], arguments["ExpressionAttributeValues"]
    sets, _, removes = arguments["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    settings, increments = {}, set()
    for setting in sets.split(", "):
        name, value = setting.split(" = ")
        if value == f"{name} + :one":
            assert values[":one"] == {"N": "1"}
            increments.add(names[name])
        else:
            settings[names[name]] = values[value]
    conditions = set()
    for condition in arguments["ConditionExpression"].split(" AND "):
        if absent := re.fullmatch(r"attribute_not_exists\((#\w+)\)", condition):
            conditions.add((names[absent[1]], "absent", None))
        else:
            name, operator, value = condition.split()
            conditions.add((names[name], operator, str(values[value])))
    used = set(re.findall(r"#\w+", arguments["UpdateExpression"] + arguments["ConditionExpression"]))
    assert used == set(names)
    assert {name.lstrip("#") for name in names} == set(names.values())
    removed = {names[name] for name in removes.split(", ") if name}
    return arguments["Key"], settings, increments, removed, conditions, arguments["ReturnValues"] == "ALL_OLD"


def of_statement(update):
    """The same, read from the PartiQL text."""
    statement = update_statement("jobs", update)
    text, parameters = statement["Statement"], list(statement["Parameters"])
    assert text.count("?") == len(parameters)
    assert statement["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    head, _, tail = text.partition(" WHERE ")
    where, _, returning = tail.partition(" RETURNING ")
    assert head.startswith('UPDATE "jobs" ')
    settings = {name: parameters.pop(0) for name in re.findall(rf"SET {NAME} = \?", head)}
    increments = {name for name, same in re.findall(rf"SET {NAME} = {NAME} \+ 1", head) if name == same}
    removed = set(re.findall(rf"REMOVE {NAME}", head))
    clauses = [f'SET "{name}" = ?' for name in settings] + [f'REMOVE "{name}"' for name in removed]
    clauses += [f'SET "{name}" = "{name}" + 1' for name in increments]
    assert sorted(re.split(r" (?=SET|REMOVE)", head.removeprefix('UPDATE "jobs" '))) == sorted(clauses)
    key, conditions = {}, set()
    for condition in where.split(" AND "):
        name, operator = re.fullmatch(rf"{NAME} (= \?|< \?|IS MISSING)", condition).groups()
        if name in {"pk", "sk"}:
            key[name] = parameters.pop(0)
        elif operator == "IS MISSING":
            conditions.add((name, "absent", None))
        else:
            conditions.add((name, operator[0], str(parameters.pop(0))))
    return key, settings, increments, removed, conditions, returning == "ALL OLD *"


@given(jobs())
def test_both_forms_of_a_claim_are_the_same(job):
    update = claiming(make_claim(job))

    assert of_update(update) == of_statement(update)


@given(jobs(), jobs())
def test_both_forms_of_every_move_are_the_same(before, other):
    after = replace(other, ref=before.ref)
    for move in TRANSITIONS:
        if before.state in move.sources and move.verb is not Verb.CLAIM and (before != after):
            update = moving(move.verb, before, replace(after, concluded=before.concluded + 1))
            assert of_update(update) == of_statement(update)


@given(jobs(), jobs())
def test_a_move_turns_one_item_into_the_other(before, other):
    after = replace(other, ref=before.ref, concluded=before.concluded + 1)
    verb = next(move.verb for move in TRANSITIONS if before.state in move.sources) if before.state in _MOVABLE else None
    if verb is None:
        return
    key, settings, increments, removed, _, _ = of_update(moving(verb, before, after))

    item = {**state_item(before, listed=True), **settings}
    item = {name: value for name, value in item.items() if name not in removed}
    assert increments == set()
    assert job_of(item) == after
    assert {name: item[name] for name in key} == key
    assert {"list_pk", "list_sk"} <= set(item)


_MOVABLE = {state for move in TRANSITIONS for state in move.sources}


def test_a_claim_is_decided_by_time_and_arguments_alone():
    job = make_job()
    claim = make_claim(job)
    key, settings, increments, removed, conditions, answers_before = of_update(claiming(claim))

    assert conditions == {
        ("claimable_at", "<", str({"N": str(NOW)})),
        ("fingerprint", "=", str({"S": job.fingerprint})),
    }
    assert increments == {"fence", "attempt"}
    # The due index keeps what the table answers for: see Job.watched.
    assert removed == {"attention_pk", "attention_sk", "progress"}
    assert answers_before
    assert key == {"pk": {"S": f"acme#{job.ref.id}"}, "sk": {"S": "STATE"}}
    assert settings["claimable_at"] == {"N": str(LEASE)}
    assert settings["ttl"] == {"N": str(claim.ttl_s)}


@pytest.mark.parametrize("move", [move for move in TRANSITIONS if move.verb is not Verb.CLAIM], ids=lambda m: m.verb)
def test_the_guard_is_the_lifecycles(move):
    for source in move.sources:
        before = make_job(source, fence=7, generation=3)
        conditions = of_update(moving(move.verb, before, replace(before, state=move.target, ttl_s=TTL + 1)))[4]

        expected = {("state", "=", str({"S": source.value})), ("fence", "=", str({"N": "7"}))}
        if move.guard in (Guard.UNCHANGED, Guard.UNTOLD):
            expected.add(("generation", "=", str({"N": "3"})))
            at = before.claimable_at
            expected.add(("claimable_at", "absent", None) if at is None else ("claimable_at", "=", str({"N": str(at)})))
        if move.guard in (Guard.UNDISTURBED, Guard.UNANSWERED):
            expected.add(("cancel", "absent", None))
        if move.guard in (Guard.UNANSWERED, Guard.UNTOLD):
            expected.add(("told", "absent", None))
        assert conditions == expected


def test_answers_that_the_writer_knows_of_are_what_must_still_be_there():
    before = make_job(State.RUNNING, answers=2)

    for verb in (Verb.WAIT, Verb.TELL):
        conditions = of_update(moving(verb, before, replace(before, state=transition(verb).target, ttl_s=TTL + 1)))[4]
        assert ("told", "=", str({"N": "2"})) in conditions


@pytest.mark.parametrize(
    ("verb", "state"), [(move.verb, state) for move in TRANSITIONS for state in State if state not in move.sources]
)
def test_no_update_leaves_a_state_that_the_lifecycle_does_not_name(verb, state):
    job = make_job(state)

    with pytest.raises(ValueError, match="does not lead"):
        moving(verb, job, job)


def test_an_insert_names_and_orders_its_parameters():
    item = state_item(make_job(), listed=True)
    statement = insert_statement("jobs", item)

    names = re.findall(r"'(\w+)': \?", statement["Statement"])
    assert statement["Statement"].startswith('INSERT INTO "jobs" VALUE {')
    assert dict(zip(names, statement["Parameters"], strict=True)) == item
    assert len(statement["Statement"]) < 8_192  # API Reference, BatchStatementRequest
