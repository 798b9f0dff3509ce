"""The store when AWS throttles, breaks, or answers nobody: one answer for each job, and never a wrong one."""

from dataclasses import replace

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.contract.builders import make_claim, make_conclusion, make_envelope, make_job
from tests.unit.aws.stub import Wire, error
from tidemill.aws import patience
from tidemill.aws.items import state_item
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.conclusion import concluded
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Refused, Unwritten, Written

LOST = ReadTimeoutError(endpoint_url="x")
UNSENT = ConnectTimeoutError(endpoint_url="x")
REPEATED = ["ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError"]
LASTING = ["ValidationError", "AccessDenied", "ResourceNotFound", "ItemCollectionSizeLimitExceeded"]


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How long the code slept; it does not."""
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr(patience.Patience, "wait", lambda self, tried: slept.append(tried))
    return slept


def store_on(wire, batch_from=3):
    return DynamoJobStore(wire.dynamodb, "jobs", list_index=False, batch_from=batch_from)


def failed(code, item=None):
    return {"Error": {"Code": code, "Message": "said by the stub", **({"Item": item} if item else {})}}


def taken(job):
    return {"Item": state_item(job, listed=False)}


def causes(answers):
    return [answer.error.cause if isinstance(answer, Unwritten) else type(answer).__name__ for answer in answers]


@pytest.mark.parametrize("code", REPEATED)
def test_throttled_statements_are_tried_again_alone(code, waits):
    jobs = [make_job(), make_job(), make_job()]
    wire = Wire(
        {"Responses": [taken(jobs[0]), failed(code), taken(jobs[2])]},
        {"Responses": [failed(code)]},
        {"Responses": [taken(jobs[1])]},
    )

    answers = store_on(wire).claim([make_claim(job) for job in jobs])

    assert [answer.before for answer in answers] == jobs
    first, second, third = [body["Statements"] for _, body in wire.requests]
    assert second == third == [first[1]]
    assert waits == [1, 2]


def test_statements_that_stay_throttled_are_unwritten_and_their_neighbours_are_not(waits):
    jobs = [make_job(), make_job(), make_job()]
    always = {"Responses": [failed("ThrottlingError")]}
    wire = Wire(
        {"Responses": [taken(jobs[0]), failed("ThrottlingError"), failed("ConditionalCheckFailed")]}, repeat=always
    )

    answers = store_on(wire).claim([make_claim(job) for job in jobs])

    assert causes(answers) == ["Written", "ThrottlingError", "Refused"]
    assert len(wire.requests) == 4
    assert waits == [1, 2, 3]


@pytest.mark.parametrize("code", LASTING)
def test_lasting_errors_are_not_repeated(code):
    wire = Wire({"Responses": [failed(code)] * 3})

    answers = store_on(wire).claim([make_claim(make_job())] * 3)

    assert causes(answers) == [code] * 3
    assert len(wire.requests) == 1


def test_a_call_that_fails_fails_its_own_chunk():
    jobs = [make_job() for _ in range(30)]
    wire = Wire({"Responses": [taken(job) for job in jobs[:25]]}, error("AccessDeniedException"))

    answers = store_on(wire).claim([make_claim(job) for job in jobs])

    assert causes(answers) == ["Written"] * 25 + ["AccessDeniedException"] * 5


def test_a_refused_claim_brings_its_record_without_a_read():
    job = make_job(State.SUCCEEDED)
    item = state_item(job, listed=False)
    batch = Wire({"Responses": [failed("ConditionalCheckFailed", item)] * 2 + [failed("ConditionalCheckFailed")]})
    single = Wire(error("ConditionalCheckFailedException", Item=item))

    assert store_on(batch).claim([make_claim(job)] * 3) == [Refused(job), Refused(job), Refused(None)]
    assert store_on(single).claim([make_claim(job)]) == [Refused(job)]
    assert [batch.operations, single.operations] == [["BatchExecuteStatement"], ["UpdateItem"]]


@pytest.mark.parametrize("batch_from", [1, 3])
def test_an_insert_whose_answer_was_lost_finds_its_own_record(batch_from):
    job = make_job()
    again = (
        {"Responses": [failed("DuplicateItem")]}
        if batch_from == 1
        else error("ConditionalCheckFailedException", Item=state_item(job, listed=False))
    )
    wire = Wire(LOST, again, *([taken(job)] if batch_from == 1 else []))

    assert store_on(wire, batch_from).insert([job]) == [Written(job)]


def test_a_duplicate_of_another_is_read_consistently():
    mine, theirs = make_job(), make_job()
    stands = replace(theirs, created_at=theirs.created_at - 5)
    read = {"Responses": {"jobs": [state_item(stands, listed=False)]}, "UnprocessedKeys": {}}
    wire = Wire({"Responses": [{}, failed("DuplicateItem"), failed("DuplicateItem")]}, read)

    answers = store_on(wire).insert([mine, theirs, make_job()])

    assert answers == [Written(mine), Refused(stands), Refused(None)]
    operation, body = wire.requests[1]
    assert operation == "BatchGetItem"
    assert body["RequestItems"]["jobs"]["ConsistentRead"] is True


def test_a_duplicate_that_cannot_be_read_stays_in_doubt():
    wire = Wire({"Responses": [{}, failed("DuplicateItem"), {}]}, error("AccessDeniedException"))

    answers = store_on(wire).insert([make_job(), make_job(), make_job()])

    assert causes(answers) == ["Written", "AccessDeniedException", "Written"]


def test_an_insert_that_was_lost_for_good_is_looked_for(waits):
    there, absent, other = make_job(), make_job(), make_job()
    stands = replace(other, kind="another.kind")
    items = [state_item(there, listed=False), state_item(stands, listed=False)]
    wire = Wire(LOST, LOST, LOST, {"Responses": {"jobs": items}, "UnprocessedKeys": {}})

    answers = store_on(wire).insert([there, absent, other])

    assert answers[0] == Written(there)
    assert causes(answers) == ["Written", "ReadTimeoutError", "ReadTimeoutError"]


def test_a_call_that_was_never_sent_is_not_looked_for():
    wire = Wire(UNSENT, UNSENT, UNSENT)

    answers = store_on(wire).insert([make_job(), make_job(), make_job()])

    assert causes(answers) == ["ConnectTimeoutError"] * 3
    assert set(wire.operations) == {"BatchExecuteStatement"}


@pytest.mark.parametrize("batch_from", [1, 3])
def test_a_claim_that_was_lost_is_refused_by_a_record_that_names_its_owner(batch_from):
    job = make_job()
    claim = make_claim(job)
    mine = job.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
    wire = Wire(LOST, LOST, LOST, taken(mine))

    assert store_on(wire, batch_from).claim([claim]) == [Refused(mine)]


@pytest.mark.parametrize("owner", ["somebody-else-000001", None])
def test_a_claim_that_was_lost_to_another_is_unwritten(owner):
    job = make_job(owner=owner)
    wire = Wire(LOST, LOST, LOST, taken(job))

    assert causes(store_on(wire).claim([make_claim(job)])) == ["ReadTimeoutError"]


@pytest.mark.parametrize("verdict", ["complete", "retry", "defer", "park", "bury", "expire"])
def test_a_conclusion_whose_answer_was_lost_is_written(verdict):
    conclusion = make_conclusion(make_job(State.RUNNING), verdict)
    after = concluded(conclusion.job, conclusion.verdict, conclusion.now_ms)
    item = state_item(after, listed=False)
    put = {"park": 2, "bury": 2, "retry": 1}.get(verdict, 0)
    siblings = [{"UnprocessedItems": {}}] if put > 1 else [{}] * put

    repeated = Wire(*siblings, LOST, error("ConditionalCheckFailedException", Item=item))
    assert store_on(repeated).conclude([conclusion]) == [Written(after, conclusion.job)]

    for_good = Wire(*siblings, LOST, LOST, LOST, {"Item": item})
    assert store_on(for_good).conclude([conclusion]) == [Written(after, conclusion.job)]


@pytest.mark.parametrize("change", [{"fence": 9}, {"state": State.DEAD}, {"concluded": 0}])
def test_a_conclusion_is_not_taken_for_anothers(change):
    conclusion = make_conclusion(make_job(State.RUNNING))
    after = replace(concluded(conclusion.job, conclusion.verdict, conclusion.now_ms), **change)
    wire = Wire(error("ConditionalCheckFailedException", Item=state_item(after, listed=False)))

    assert store_on(wire).conclude([conclusion]) == [Refused(after)]


def test_without_its_evidence_no_state_is_written():
    first, second = (make_conclusion(make_job(State.RUNNING), "bury") for _ in range(2))
    third = make_conclusion(make_job(State.RUNNING))

    def all_but_one(body):
        requests = body["RequestItems"]["jobs"]
        mine = [one for one in requests if one["PutRequest"]["Item"]["pk"]["S"].endswith(second.job.ref.id)]
        return {"UnprocessedItems": {"jobs": mine[:1]}}

    wire = Wire(*[all_but_one] * 4, {}, {})

    answers = store_on(wire).conclude([first, second, third])

    assert causes(answers) == ["Written", "UnprocessedItems", "Written"]
    written = [body["Key"]["pk"]["S"] for operation, body in wire.requests if operation == "UpdateItem"]
    assert written == [f"acme#{one.job.ref.id}" for one in (first, third)]


def test_evidence_goes_out_before_the_state():
    wire = Wire({"UnprocessedItems": {}}, {})

    store_on(wire).conclude([make_conclusion(make_job(State.RUNNING), "bury")])

    assert wire.operations == ["BatchWriteItem", "UpdateItem"]


def test_a_lost_move_finds_its_own_record():
    before = make_job(State.SCHEDULED)
    after = replace(before, state=State.QUEUED, claimable_at=0)
    wire = Wire(LOST, error("ConditionalCheckFailedException", Item=state_item(after, listed=False)))

    assert store_on(wire).move(Verb.REVIVE, before, after) == Written(after, before)


def test_a_record_of_a_newer_schema_harms_only_its_own_job():
    job = make_job()
    newer = {**state_item(job, listed=False), "v": {"N": "2"}}
    wire = Wire({"Responses": [failed("ConditionalCheckFailed", newer), {"Item": newer}, taken(job)]})

    answers = store_on(wire).claim([make_claim(job)] * 3)

    assert causes(answers) == ["SchemaVersion", "SchemaVersion", "Written"]


def test_units_are_asked_for_only_where_somebody_counts():
    units = []
    wire = Wire({"Attributes": state_item(make_job(), listed=False), "ConsumedCapacity": {"CapacityUnits": 1.0}})
    DynamoJobStore(wire.dynamodb, "jobs", list_index=False, meter=units.append).claim([make_claim(make_job())])
    unmetered = Wire({"Attributes": state_item(make_job(), listed=False)})
    store_on(unmetered).claim([make_claim(make_job())])

    assert units == [1.0]
    assert wire.requests[0][1]["ReturnConsumedCapacity"] == "TOTAL"
    assert "ReturnConsumedCapacity" not in unmetered.requests[0][1]


def test_envelopes_that_stay_unprocessed_are_named(waits):
    kept, lost = make_envelope(make_job()), make_envelope(make_job())

    def all_but_the_last(body):
        return {"UnprocessedItems": {"jobs": body["RequestItems"]["jobs"][-1:]}}

    errors = store_on(Wire(repeat=all_but_the_last)).keep([kept, lost], [1, 1])

    assert [error and error.cause for error in errors] == [None, "UnprocessedItems"]
    assert waits == [1, 2, 3]


@pytest.mark.parametrize("codes", [["InternalServerError"] * 4, ["InternalServerError", *["ThrottlingError"] * 3]])
def test_a_statement_that_broke_once_may_have_been_written(codes):
    there, absent, other = make_job(), make_job(), make_job()
    first = {"Responses": [failed(codes[0]), failed(codes[0]), {}]}
    again = [{"Responses": [failed(code), failed(code)]} for code in codes[1:]]
    read = {"Responses": {"jobs": [state_item(there, listed=False)]}, "UnprocessedKeys": {}}
    wire = Wire(first, *again, read)

    answers = store_on(wire).insert([there, absent, other])

    assert causes(answers) == ["Written", codes[-1], "Written"]
    assert wire.operations[-1] == "BatchGetItem"


def test_a_statement_that_was_only_throttled_is_not_looked_for():
    wire = Wire(repeat={"Responses": [failed("ThrottlingError")] * 3})

    assert causes(store_on(wire).insert([make_job(), make_job(), make_job()])) == ["ThrottlingError"] * 3
    assert set(wire.operations) == {"BatchExecuteStatement"}
