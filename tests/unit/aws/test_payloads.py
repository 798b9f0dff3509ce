"""The claim check in S3 when S3 fails, lies or was never asked."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from tests.builders import NOW, REF, Greet
from tidemill import days
from tidemill.aws.payloads import S3Payloads, life_for, object_key
from tidemill.domain import limits
from tidemill.domain.errors import IntegrityError, PayloadGoneError, SettingsError, UnavailableError
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Parcel

NAME = f"args/{'a' * 32}"
STORED = Stored.of(NAME, b"bytes")
PASSING = [
    ReadTimeoutError(endpoint_url="x"),
    EndpointConnectionError(endpoint_url="x"),
    ("SlowDown", 503),
    ("InternalError", 500),
    ("ExpiredToken", 400),
]
# Nothing of the job's is wrong then, so that it waits until somebody mends it.
LASTING = [("NoSuchBucket", 404), ("InvalidBucketName", 400), ("KMS.DisabledException", 400)]


def client_error(code, status):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


def raised(failure):
    return client_error(*failure) if isinstance(failure, tuple) else failure


class Body(io.BytesIO):
    """Counts what is read of it; breaks after some bytes."""

    def __init__(self, data, breaks=None):
        super().__init__(data)
        self.taken = 0
        self.breaks = breaks

    def read(self, amount=-1):
        if self.breaks is not None:
            raise self.breaks
        data = super().read(amount)
        self.taken += len(data)
        return data


class S3:
    """Answers with one body, or fails."""

    def __init__(self, body=None, failure=None):
        self.calls = []
        self.body, self.failure = body, failure

    def __getattr__(self, operation):
        def call(**arguments):
            self.calls.append((operation, arguments))
            if self.failure is not None:
                raise raised(self.failure)
            return {"Body": self.body, "LastModified": datetime.fromtimestamp(NOW / 1000, UTC)}

        return call


def payloads_on(s3, bucket="b", now=NOW):
    return S3Payloads(SimpleNamespace(s3=s3), bucket, lambda: now)


def test_no_client_is_made_before_something_is_large():
    class Untouchable:
        @property
        def s3(self):
            raise AssertionError("a client was made")

    payloads = S3Payloads(Untouchable(), "b", lambda: NOW)

    assert payloads.put_all([]) == []
    payloads.discard([])


def test_the_tenant_leads_and_the_job_follows():
    assert object_key(REF, NAME) == f"acme/{REF.id}/{NAME}"
    with pytest.raises(IntegrityError):
        object_key(REF, "../x")


@pytest.mark.parametrize("verb", ["get", "renew"])
@pytest.mark.parametrize("failure", PASSING + LASTING, ids=str)
def test_a_failure_is_no_verdict_on_the_bytes(verb, failure):
    with pytest.raises(UnavailableError):
        getattr(payloads_on(S3(failure=failure)), verb)(REF, STORED)


@pytest.mark.parametrize("verb", ["get", "renew"])
@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("404", 404), ("NotFound", 404)])
def test_what_is_gone_is_gone(verb, code, status):
    with pytest.raises(PayloadGoneError, match="their retention is over, or they were deleted"):
        getattr(payloads_on(S3(failure=(code, status))), verb)(REF, STORED)


@pytest.mark.parametrize("verb", ["get", "renew"])
def test_without_the_right_to_list_s3_says_denied_of_what_is_gone(verb):
    with pytest.raises(PayloadGoneError, match=r"gone, or this role may not read .* Fix: check the role"):
        getattr(payloads_on(S3(failure=("AccessDenied", 403))), verb)(REF, STORED)


@pytest.mark.parametrize(
    "breaks",
    [
        ReadTimeoutError(endpoint_url="x"),
        ResponseStreamingError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=5),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_body_that_breaks_off_is_asked_for_again_later(breaks):
    with pytest.raises(UnavailableError):
        payloads_on(S3(Body(b"bytes", breaks))).get(REF, STORED)


def test_an_object_of_any_size_is_read_no_further_than_its_receipt():
    body = Body(b"bytes" * 1_000_000)

    with pytest.raises(IntegrityError):
        payloads_on(S3(body)).get(REF, STORED)

    assert body.taken == STORED.size + 1
    assert body.closed


@pytest.mark.parametrize("failure", [*PASSING, *LASTING, ("AccessDenied", 403)], ids=str)
def test_each_parcel_has_its_own_answer(failure):
    class Second(S3):
        def put_object(self, **arguments):
            if arguments["Body"] == b"2":
                raise raised(failure)

    answers = payloads_on(Second()).put_all([Parcel(REF, f"step/1/{n}", b"%d" % n) for n in (1, 2, 3)])

    assert [type(answer) for answer in answers] == [type(None), UnavailableError, type(None)]


def test_a_failed_deletion_harms_nobody():
    s3 = S3(failure=("InternalError", 500))

    payloads_on(s3).discard([(REF, STORED), (REF, replace(STORED, name="result/1"))])

    assert [operation for operation, _ in s3.calls] == ["delete_object"] * 2


@pytest.mark.parametrize(
    "use",
    [
        lambda payloads: payloads.put(REF, NAME, b"x"),
        lambda payloads: payloads.get(REF, STORED),
        lambda payloads: payloads.renew(REF, STORED),
    ],
)
def test_without_a_bucket_the_variable_is_named(use):
    s3 = S3()

    with pytest.raises(SettingsError, match="TIDEMILL_PAYLOAD_BUCKET is empty"):
        use(payloads_on(s3, bucket=""))
    assert s3.calls == []


@pytest.mark.parametrize("retention", [1, 7, 30, 31, 127, 128, 400])
def test_a_results_life_is_a_day_longer_than_its_record(retention):
    assert life_for(days(retention)) >= days(retention + 1)


def test_lives_are_whole_days():
    assert [life for life in (*limits.RESULT_LIVES, limits.PAYLOAD_LIFE) if life != days(life.days)] == []
    assert sorted(limits.RESULT_LIVES) == list(limits.RESULT_LIVES)


def test_a_program_with_small_jobs_only_makes_no_client_of_s3(monkeypatch):
    from random import Random

    from tidemill import JobRegistry, Submission, job
    from tidemill.aws.clients import Clients
    from tidemill.entrypoints.bootstrap import Program, SystemClock
    from tidemill.settings import LaneSettings, RuntimeSettings

    made = []
    monkeypatch.setattr(Clients, "_client", lambda self, service, **_: made.append(service) or S3())
    monkeypatch.setattr("tidemill.aws.clients.pass_through", lambda client: None)
    lane = LaneSettings(queue_url="q", dlq_url="d")
    settings = RuntimeSettings(stack="s", table="t", lanes={"default": lane}, payload_bucket="b")
    registry = JobRegistry(job(Greet)(lambda args, ctx: None))
    program = Program(registry, settings, Clients(), SystemClock(), Random(1))  # noqa: S311 - chance that repeats

    program.submitter.submit([Submission(Greet())])
    program.client  # noqa: B018 - built

    assert "s3" not in made
    assert made
