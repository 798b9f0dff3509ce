"""Endpoints: one of a name and tenant, changed by whoever knows its revision."""

from dataclasses import replace

import pytest

from tidemill.aws.endpoints import DynamoEndpoints
from tidemill.domain.webhook.endpoint import Endpoint, EndpointRef, Pause
from tidemill.testing.endpoints import MemoryEndpoints

NOW = 1_800_000_000_000
REF = EndpointRef("acme", "orders")
MADE = Endpoint(REF, "https://hooks.example.com/x", "whsec_a", created_at=NOW, changed_at=NOW)
ROTATED = replace(MADE, secret="whsec_b", previous="whsec_a", previous_until=NOW + 5, revision=2, changed_at=NOW + 1)
GONE = replace(ROTATED, pause=Pause.GONE, revision=3)


@pytest.fixture
def endpoints(jobs):
    return MemoryEndpoints() if jobs.client is None else DynamoEndpoints(jobs.client, jobs.table)


def test_what_was_created_is_found(endpoints):
    assert endpoints.find(REF) is None
    assert endpoints.create(MADE) is None
    assert endpoints.find(REF) == MADE


def test_a_second_one_of_the_name_is_refused_and_the_first_stays(endpoints):
    endpoints.create(MADE)

    assert endpoints.create(replace(MADE, secret="whsec_c")) == MADE
    assert endpoints.find(REF) == MADE


def test_a_create_whose_answer_was_lost_may_be_repeated(endpoints):
    endpoints.create(MADE)

    assert endpoints.create(MADE) is None


def test_every_field_survives_a_change(endpoints):
    endpoints.create(MADE)

    assert endpoints.change(MADE, ROTATED)
    assert endpoints.change(ROTATED, GONE)
    assert endpoints.find(REF) == GONE


def test_a_change_of_what_was_changed_meanwhile_is_refused(endpoints):
    endpoints.create(MADE)
    endpoints.change(MADE, ROTATED)

    assert not endpoints.change(MADE, replace(MADE, url="https://b.example.com/", revision=2))
    assert endpoints.find(REF) == ROTATED


def test_a_change_of_what_was_deleted_and_created_anew_is_refused(endpoints):
    anew = replace(MADE, url="https://new.example.com/", secret="whsec_n", created_at=NOW + 8, changed_at=NOW + 8)
    endpoints.create(MADE)
    endpoints.delete(REF)
    endpoints.create(anew)

    assert not endpoints.change(MADE, ROTATED)
    assert endpoints.find(REF) == anew


def test_a_change_whose_answer_was_lost_may_be_repeated(endpoints):
    endpoints.create(MADE)
    endpoints.change(MADE, ROTATED)

    assert endpoints.change(MADE, ROTATED)


def test_what_is_not_there_is_not_changed(endpoints):
    assert not endpoints.change(MADE, ROTATED)
    assert endpoints.find(REF) is None


def test_a_deleted_one_is_gone_with_its_secrets(endpoints):
    endpoints.create(MADE)

    assert endpoints.delete(REF)
    assert not endpoints.delete(REF)
    assert endpoints.find(REF) is None


def test_tenants_are_apart(endpoints):
    other = replace(MADE, ref=EndpointRef("globex", "orders"), secret="whsec_g")
    endpoints.create(MADE)
    endpoints.create(other)

    assert endpoints.find(REF) == MADE
    assert endpoints.find(other.ref) == other
