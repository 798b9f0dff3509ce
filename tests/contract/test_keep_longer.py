"""JobStore.keep_longer: stored arguments that last for as long as their job waits."""

from dataclasses import replace

import pytest

from tests.contract.builders import TTL, make_envelope, make_job
from tidemill.aws.siblings import args_key
from tidemill.domain.lifecycle import State


def ttl_of(jobs, job):
    item = jobs.client.get_item(TableName=jobs.table, Key=args_key(job.ref, job.fingerprint))["Item"]
    return int(item["ttl"]["N"])


@pytest.mark.parametrize(("asked", "kept"), [(TTL + 9, TTL + 9), (TTL, TTL), (TTL - 9, TTL)])
def test_they_last_longer_and_never_shorter(jobs, asked, kept):
    job = make_job(State.SCHEDULED, owns_args=True)
    envelope = make_envelope(job)
    jobs.store.keep([envelope], [TTL])

    assert jobs.store.keep_longer(job, asked) is None

    assert jobs.reader.envelope_of(job) == envelope
    if jobs.client is not None:
        assert ttl_of(jobs, job) == kept


def test_where_there_are_none_none_are_made(jobs):
    job = make_job(State.SCHEDULED, owns_args=True)

    assert jobs.store.keep_longer(job, TTL) is None

    assert jobs.reader.envelope_of(job) is None


def test_those_of_other_arguments_stay_as_they_are(jobs):
    job = make_job(State.SCHEDULED, owns_args=True)
    jobs.store.keep([make_envelope(job)], [TTL])

    assert jobs.store.keep_longer(replace(job, fingerprint="0" * 32), TTL + 9) is None

    if jobs.client is not None:
        assert ttl_of(jobs, job) == TTL
