"""Bad input: the right status, the field's name, and no row and no message."""

import json

import pytest

THUMB = {"kind": "media.thumbnail", "args": {"bucket": "b", "width": 320}}
UUID = "0190a5b0-0000-7000-8000-000000000000"


def thumb(**more):
    return {**THUMB, **more}


def args(**more):
    return {"kind": "media.thumbnail", "args": {**THUMB["args"], **more}}


BAD_FIELDS = [
    (422, "kind", {"kind": "media.thumbnial", "args": {}}),
    (422, "kind", {"kind": "Media.Thumbnail", "args": {}}),
    (422, "kind", {"kind": "os.system", "args": {}}),
    (422, "kind", {"kind": "k" * 65, "args": {}}),
    (422, "kind", {"kind": ["media.thumbnail"], "args": {}}),
    (422, "kind", {"kind": None, "args": {}}),
    (422, "kind", {"args": {}}),
    (422, "args", {"kind": "media.thumbnail"}),
    (422, "args", {"kind": "media.thumbnail", "args": []}),
    (422, "args", {"kind": "media.thumbnail", "args": None}),
    (422, "args.bucket", {"kind": "media.thumbnail", "args": {"width": 320}}),
    (422, "args.bucket", args(bucket="")),
    (422, "args.width", args(width=15)),
    (422, "args.width", args(width="320")),
    (422, "args.width", args(width=True)),
    (422, "args.width", args(width=1e300)),
    (422, "args.width", args(width=10**400)),
    (422, "args.mode", args(mode="stretch")),
    (422, "args.height", args(height=10)),
    (422, "args.tags.a.1", args(tags={"a": ["x", 5]})),
    (422, "args", {"kind": "blob", "args": {"text": "x" * 5_242_880}}),
    (422, "key", thumb(key="")),
    (422, "key", thumb(key="k" * 97)),
    (422, "key", thumb(key="two words")),
    (422, "key", thumb(key="schlüssel")),
    (422, "key", thumb(key="a#b")),
    (422, "key", thumb(key=7)),
    (422, "tenant", thumb(tenant="")),
    (422, "tenant", thumb(tenant="t" * 65)),
    (422, "tenant", thumb(tenant="a/b")),
    (422, "tenant", thumb(tenant="a#b")),
    (422, "tenant", thumb(tenant={"a": 1})),
    (422, "lane", thumb(lane="express")),
    (422, "lane", thumb(lane="l" * 33)),
    (422, "lane", thumb(lane="../dlq")),
    (422, "delay_seconds", thumb(delay_seconds=-1)),
    (422, "delay_seconds", thumb(delay_seconds="60")),
    (422, "delay_seconds", thumb(delay_seconds=True)),
    (422, "delay_seconds", thumb(delay_seconds=365 * 86_400 + 1)),
    (422, "delay_seconds", thumb(delay_seconds=10**400)),
    (422, "expires_in_seconds", thumb(expires_in_seconds=0)),
    (422, "expires_in_seconds", thumb(delay_seconds=60, expires_in_seconds=60)),
    (422, "expires_in_seconds", thumb(expires_in_seconds=-5)),
    (422, "job_id", thumb(job_id="1")),
    (422, "job_id", thumb(job_id=UUID.upper())),
    (422, "job_id", thumb(job_id=7)),
    (422, "job_id", thumb(job_id=UUID, key="k")),
    (422, "correlation_id", thumb(correlation_id="c" * 65)),
    (422, "correlation_id", thumb(correlation_id="line\nbreak")),
    (422, "correlation_id", thumb(correlation_id=5)),
    (422, "priority", thumb(priority=1)),
    (422, "body", []),
    (422, "body", "null"),
    (422, "body", '"text"'),
]
BAD_DOCUMENTS = [
    (400, "body", ""),
    (400, "body", "{"),
    (400, "body", "{'kind': 1}"),
    (400, "body", '{"kind": "loose", "args": {}} x'),
    (400, "body", '{"kind": "loose", "args": {"anything": NaN}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": -Infinity}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": 1e999}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": ' + "9" * 5_000 + "}}"),
    (400, "body", '{"kind": "loose", "args": {}, "args": {"anything": 1}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": {"a": 1, "a": 2}}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": "\\ud800"}}'),
    (400, "body", '{"kind": "loose", "args": {"\\udfff": 1}}'),
    (400, "body", '{"kind": "loose", "args": {"anything": "\ud800"}}'),
    (400, "body", b'{"kind": "loose", "args": {"anything": "\xff"}}'),
    (400, "body", b'\xef\xbb\xbf{"kind": "loose", "args": {}}'),
    (400, "body", b"\xff\xfe{\x00}\x00"),
    (400, "body", '{"kind": "loose", "args": {"anything": ' + "[" * 33 + "]" * 33 + "}}"),
    (400, "body", "[" * 100_000),
    (400, "body", '{"a":' * 60_000),
    (413, "body", '{"kind": "loose", "args": {}}' + " " * 5_767_168),
]


@pytest.mark.parametrize(("status", "field", "body"), [*BAD_FIELDS, *BAD_DOCUMENTS])
def test_one_bad_job_is_refused_by_name(world, status, field, body):
    answer = world.call("POST", "/jobs", body)
    assert answer.status == status, answer.text
    assert field in answer.fields
    assert world.is_empty
    assert world.telemetry.counts["JobsRefused"] == 1


@pytest.mark.parametrize(("status", "field", "body"), BAD_FIELDS)
def test_a_bad_job_of_a_batch_stops_no_other(world, status, field, body):
    document = json.loads(body) if isinstance(body, str) else body
    answer = world.call("POST", "/jobs/batch", {"jobs": [THUMB, document, THUMB]})
    assert answer.status == 202
    first, bad, last = answer.json["results"]
    assert (bad["index"], bad["status"]) == (1, status)
    assert field in {violation["field"] for violation in bad["violations"]}
    assert first["created"]
    assert last["created"]
    assert len(world.store.jobs) == world.queues.count("bulk") == 2


@pytest.mark.parametrize(("status", "field", "body"), BAD_FIELDS)
def test_a_batch_of_only_bad_jobs_is_refused(world, status, field, body):
    document = json.loads(body) if isinstance(body, str) else body
    answer = world.call("POST", "/jobs/batch", {"jobs": [document]})
    assert answer.status == status
    assert f"jobs[0].{field}" in answer.fields
    assert [result["index"] for result in answer.json["results"]] == [0]
    assert world.is_empty


@pytest.mark.parametrize(
    ("status", "field", "body"),
    [
        (422, "jobs", {"jobs": []}),
        (422, "jobs", {"jobs": [{}] * 10_001}),
        (422, "jobs", {"jobs": THUMB}),
        (422, "jobs", {}),
        (422, "tenant", {"jobs": [THUMB], "tenant": "acme"}),
        (422, "body", [THUMB]),
        (413, "body", '{"jobs":[]}' + " " * 5_767_168),
        *(row for row in BAD_DOCUMENTS if row[0] == 400),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(world, status, field, body):
    answer = world.call("POST", "/jobs/batch", body)
    assert answer.status == status, answer.text
    assert field in answer.fields
    assert world.is_empty


def test_a_long_list_of_violations_and_a_long_name_are_cut(world):
    answer = world.call("POST", "/jobs", {**THUMB, "args": {f"{i:03}{'n' * 1_000}": 1 for i in range(300)}})
    assert answer.status == 422
    assert len(answer.json["violations"]) == 50
    assert len(answer.text) < 50_000


def test_the_answer_to_the_worst_batch_fits_what_lambda_returns(world):
    names = {chr(0x20000 + i) * 28: 1 for i in range(3)}
    body = json.dumps({"jobs": [{"kind": "loose", "args": names}] * 10_000}, ensure_ascii=False)
    answer = world.call("POST", "/jobs/batch", body)
    assert answer.status == 422
    assert len(answer.json["results"]) == 10_000
    assert len(json.dumps(answer.raw, ensure_ascii=False).encode()) < 6_291_456


def test_the_answer_to_the_largest_batch_fits_what_lambda_returns(world):
    answer = world.call("POST", "/jobs/batch", {"jobs": [{"kind": "loose", "args": {}, "tenant": "t" * 48}] * 10_000})
    assert answer.status == 202
    assert len(json.dumps(answer.raw, ensure_ascii=False).encode()) < 6_291_456
