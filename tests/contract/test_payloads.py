"""The claim check: what every implementation of `Payloads` keeps, refuses and forgets."""

from dataclasses import replace

import pytest

from tests.contract.conftest import bucket_in
from tidemill import days
from tidemill.aws.payloads import S3Payloads
from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import IntegrityError, PayloadGoneError
from tidemill.domain.job import JobRef
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Parcel
from tidemill.entrypoints.bootstrap import SystemClock

REF = JobRef("acme", "0190a5b0-0000-7000-8000-000000000001")
NAME = f"args/{'a' * 32}"
LARGEST = bytes(range(256)) * (limits.MAX_PAYLOAD_BYTES // 256)


@pytest.mark.parametrize("data", [b"1", "\u00fc\U0001f600".encode(), b"\r\n\x00", LARGEST], ids=len)
def test_what_is_put_is_got_byte_for_byte(payloads, data):
    stored = payloads.put(REF, NAME, data)

    assert stored == Stored.of(NAME, data)
    assert payloads.get(REF, stored) == data


def test_the_same_name_again_replaces(payloads):
    first = payloads.put(REF, NAME, b"first")
    second = payloads.put(REF, NAME, b"second")

    assert payloads.get(REF, second) == b"second"
    with pytest.raises(IntegrityError):
        payloads.get(REF, first)


@pytest.mark.parametrize(
    "wrong", [{"sha256": "0" * 64}, {"size": 4}, {"size": 6}, {"size": 1}, {"sha256": ""}], ids=str
)
def test_other_bytes_than_the_receipts_are_refused(payloads, wrong):
    stored = payloads.put(REF, NAME, b"bytes")

    with pytest.raises(IntegrityError):
        payloads.get(REF, replace(stored, **wrong))


@pytest.mark.parametrize(
    "other",
    [
        replace(REF, tenant="acme2"),
        replace(REF, tenant="ACME"),
        replace(REF, id="0190a5b0-0000-7000-8000-000000000002"),
    ],
    ids=str,
)
def test_nobody_has_anothers_bytes(payloads, other):
    stored = payloads.put(REF, NAME, b"bytes")

    with pytest.raises(PayloadGoneError):
        payloads.get(other, stored)
    with pytest.raises(PayloadGoneError):
        payloads.renew(other, stored)
    payloads.discard([(other, stored)])
    assert payloads.get(REF, stored) == b"bytes"


@pytest.mark.parametrize("name", [f"../{REF.id}/{NAME}", "args/../x", "", "args", f"{NAME}/..", "/etc/passwd"])
def test_only_our_own_names_are_looked_for(payloads, name):
    with pytest.raises(IntegrityError):
        payloads.get(REF, Stored.of(name, b"x"))
    with pytest.raises(IntegrityError):
        payloads.put(REF, name, b"x")


def test_many_are_kept_in_one_call(payloads):
    parcels = [Parcel(REF, f"step/1/{number}", b"%d" % number) for number in range(30)]

    assert payloads.put_all(parcels) == [None] * 30
    assert payloads.put_all([]) == []
    for parcel in parcels:
        assert payloads.get(REF, Stored.of(parcel.name, parcel.data)) == parcel.data


def test_what_is_renewed_stays_as_it_is(payloads):
    stored = payloads.put(REF, NAME, b"bytes")

    payloads.renew(REF, stored)

    assert payloads.get(REF, stored) == b"bytes"


def test_what_is_not_there_can_not_be_renewed(payloads):
    with pytest.raises(PayloadGoneError, match="submit the job again"):
        payloads.renew(REF, Stored.of(NAME, b"bytes"))


def test_what_is_discarded_is_gone_and_may_be_discarded_again(payloads):
    stored = [payloads.put(REF, f"step/1/{number}", b"x") for number in range(3)]

    for _ in range(2):
        payloads.discard([(REF, one) for one in stored[:2]])

    for one in stored[:2]:
        with pytest.raises(PayloadGoneError):
            payloads.get(REF, one)
    assert payloads.get(REF, stored[2]) == b"x"


def test_a_result_with_a_life_of_its_own_is_got_as_any_other(payloads):
    stored = payloads.put(REF, "result/1", b"1", days(7))

    assert payloads.get(REF, stored) == b"1"


@pytest.mark.parametrize("backend", ["moto", "ministack"])
class TestLives:
    """What S3 sees of it."""

    @pytest.fixture
    def bucket(self, request, backend):
        return bucket_in(request.getfixturevalue(backend))

    def later(self, bucket, span):
        return S3Payloads(*bucket, lambda: SystemClock().now_ms() + milliseconds(span))

    def tags(self, bucket, name):
        clients, bucket_name = bucket
        found = clients.s3.get_object_tagging(Bucket=bucket_name, Key=f"{REF.tenant}/{REF.id}/{name}")["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def writes(self, bucket):
        seen = []
        bucket[0].s3.meta.events.register("before-call.s3.*", lambda model, **_: seen.append(model.name))
        return seen

    @pytest.mark.parametrize(("keep", "life"), [(1, "8"), (7, "8"), (8, "32"), (90, "128"), (400, "401")])
    def test_a_result_is_tagged_with_its_life(self, bucket, keep, life):
        self.later(bucket, days(0)).put(REF, "result/1", b"1", days(keep))

        assert self.tags(bucket, "result/1") == {"days": life}

    def test_arguments_are_not(self, bucket):
        stored = self.later(bucket, days(0)).put(REF, NAME, b"1")
        self.later(bucket, days(0)).renew(REF, stored)

        assert self.tags(bucket, NAME) == {}

    def test_a_late_read_begins_the_life_anew_and_an_early_one_costs_nothing(self, bucket):
        stored = self.later(bucket, days(0)).put(REF, NAME, b"1")
        calls = self.writes(bucket)

        self.later(bucket, limits.PAYLOAD_RENEWAL - days(1)).get(REF, stored)
        assert calls == ["GetObject"]

        assert self.later(bucket, limits.PAYLOAD_RENEWAL + days(1)).get(REF, stored) == b"1"
        assert calls == ["GetObject", "GetObject", "PutObject"]

    def test_no_read_lengthens_a_results_life(self, bucket):
        stored = self.later(bucket, days(0)).put(REF, "result/1", b"1", days(400))
        calls = self.writes(bucket)

        self.later(bucket, days(300)).get(REF, stored)

        assert calls == ["GetObject"]

    def test_a_damaged_object_is_not_given_a_new_life(self, bucket):
        stored = self.later(bucket, days(0)).put(REF, NAME, b"1")
        calls = self.writes(bucket)

        with pytest.raises(IntegrityError):
            self.later(bucket, days(300)).get(REF, replace(stored, sha256="0" * 64))

        assert calls == ["GetObject"]
