"""The reader when AWS answers in part or not at all."""

import pytest
from botocore.exceptions import ClientError

from tests.contract.builders import FAILURE, make_envelope, make_job
from tests.unit.aws.stub import Wire, error
from tidemill.aws import patience
from tidemill.aws.items import state_item
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.siblings import args_item, error_item
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import AttemptFailure


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(patience.Patience, "wait", lambda self, tried: None)


def reader_on(wire):
    return DynamoJobReader(wire.dynamodb, "jobs")


def part(items, unread=()):
    left = {"jobs": {"Keys": list(unread), "ConsistentRead": True}} if unread else {}
    return {"Responses": {"jobs": [state_item(job, listed=False) for job in items]}, "UnprocessedKeys": left}


def key(job):
    item = state_item(job, listed=False)
    return {"pk": item["pk"], "sk": item["sk"]}


def test_what_was_left_unread_is_asked_for_again():
    jobs = [make_job() for _ in range(3)]
    wire = Wire(part(jobs[:1], map(key, jobs[1:])), part(jobs[2:], [key(jobs[1])]), part([jobs[1]]))

    assert reader_on(wire).find([job.ref for job in jobs]) == jobs
    assert [len(body["RequestItems"]["jobs"]["Keys"]) for _, body in wire.requests] == [3, 2, 1]
    assert all(body["RequestItems"]["jobs"]["ConsistentRead"] for _, body in wire.requests)


def test_a_job_that_stays_unread_is_not_taken_for_missing():
    jobs = [make_job(), make_job()]
    wire = Wire(repeat=part([], map(key, jobs)))

    with pytest.raises(UnavailableError, match="UnprocessedKeys"):
        reader_on(wire).find([job.ref for job in jobs])
    assert len(wire.requests) == 4


def test_more_than_a_hundred_are_more_than_one_call():
    jobs = [make_job() for _ in range(101)]
    by_key = {key(job)["pk"]["S"]: job for job in jobs}
    wire = Wire(repeat=lambda body: part(by_key[k["pk"]["S"]] for k in body["RequestItems"]["jobs"]["Keys"]))

    assert reader_on(wire).find([job.ref for job in jobs] * 2) == jobs * 2
    assert [len(body["RequestItems"]["jobs"]["Keys"]) for _, body in wire.requests] == [100, 1]


@pytest.mark.parametrize(
    "read",
    [
        lambda reader: reader.find([make_job().ref]),
        lambda reader: reader.find([make_job().ref, make_job().ref]),
        lambda reader: reader.envelope_of(make_job()),
        lambda reader: reader.result_of(make_job(has_result_item=True)),
        lambda reader: reader.failures_of(make_job().ref),
        lambda reader: reader.waiting(State.DEAD, None, 5, None),
        lambda reader: reader.recent("acme", "kind", "2026-11-22", 5, None),
    ],
)
def test_failures_are_the_domains_and_mistakes_are_not_hidden(read):
    with pytest.raises(UnavailableError, match="ThrottlingException"):
        read(reader_on(Wire(repeat=error("ThrottlingException"))))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        read(reader_on(Wire(error("ResourceNotFoundException"))))


def test_an_inline_result_needs_no_read():
    assert reader_on(Wire()).result_of(make_job(State.SUCCEEDED, result="1")) == "1"


def test_a_result_that_was_collected_is_none():
    assert reader_on(Wire({})).result_of(make_job(State.SUCCEEDED, has_result_item=True)) is None


def test_evidence_of_many_pages_is_all_read():
    ref = make_job().ref
    failures = [AttemptFailure(1, attempt, 5, FAILURE) for attempt in (1, 2)]
    items = [error_item(ref, failed, 9) for failed in failures]
    wire = Wire({"Items": items[:1], "LastEvaluatedKey": key(make_job())}, {"Items": items[1:]})

    assert reader_on(wire).failures_of(ref) == failures
    assert [body["ConsistentRead"] for _, body in wire.requests] == [True, True]


@pytest.mark.parametrize("body", ["{", "[]", '{"v":1}'])
def test_a_damaged_envelope_is_not_sent_to_anybody(body):
    job = make_job()
    item = {**args_item(make_envelope(job), 9), "body": {"S": body}}

    with pytest.raises(IntegrityError, match="damaged"):
        reader_on(Wire({"Item": item})).envelope_of(job)


def test_tampered_arguments_are_found():
    job = make_job()
    item = args_item(make_envelope(job), 9)
    item["body"] = {"S": item["body"]["S"].replace("320", "321")}

    with pytest.raises(IntegrityError, match="fingerprint"):
        reader_on(Wire({"Item": item})).envelope_of(job)


def test_a_listing_leaves_out_what_changed_behind_the_index():
    here, moved, gone = (make_job(State.DEAD) for _ in range(3))
    entries = [{**key(job), "attention_pk": {"S": "x"}, "attention_sk": {"S": "1"}} for job in (here, moved, gone)]
    empty = [{"Items": []}] * 7
    wire = Wire({"Items": entries}, *empty, part([here, make_job(State.QUEUED, id=moved.ref.id)]))

    page = reader_on(wire).waiting(State.DEAD, None, 10, None)

    assert page.jobs == (here,)
    assert page.cursor is None


def test_every_read_of_a_job_is_consistent():
    job = make_job(State.SUCCEEDED, has_result_item=True)
    wire = Wire(repeat={})
    reader = reader_on(wire)

    reader.find([job.ref])
    reader.envelope_of(job)
    reader.result_of(job)

    assert [body["ConsistentRead"] for _, body in wire.requests] == [True] * 3
    keys = [body["Key"]["sk"]["S"] for _, body in wire.requests]
    assert keys == ["STATE", f"ARGS#{job.fingerprint}", "RESULT#1"]


def test_siblings_have_keys_that_sort_and_end_with_their_job():
    ref = make_job().ref
    item = error_item(ref, AttemptFailure(2, 7, 5, FAILURE), 9)

    assert (item["pk"]["S"], item["sk"]["S"]) == (f"acme#{ref.id}", "ERROR#2#007")
    assert item["ttl"] == args_item(make_envelope(make_job()), 9)["ttl"] == {"N": "9"}
