"""A refusal of a job in JSON names the fields as JSON does, whoever parses it."""

import pytest

from tests.builders import Greet
from tidemill import JobRegistry, Lane, job, seconds
from tidemill.domain.errors import InputError
from tidemill.service.request import parse_request

REGISTRY = JobRegistry(job(Greet)(lambda args, ctx: None), lanes=(Lane("default"), Lane("orders", fifo=True)))


def test_a_job_that_lives_longer_than_it_waits_is_taken():
    submission = parse_request(
        {"kind": "test.greet", "args": {}, "delay_seconds": 59.5, "expires_in_seconds": 60}, REGISTRY
    )

    assert (submission.delay, submission.expires_in) == (seconds(59.5), seconds(60))


@pytest.mark.parametrize(
    ("field", "spans"),
    [
        ("delay_seconds", {"delay_seconds": -1}),
        ("delay_seconds", {"delay_seconds": True}),
        ("delay_seconds", {"delay_seconds": float("nan")}),
        ("expires_in_seconds", {"expires_in_seconds": "60"}),
        ("expires_in_seconds", {"expires_in_seconds": 0}),
        ("expires_in_seconds", {"expires_in_seconds": 1e-9}),
        ("expires_in_seconds", {"delay_seconds": 60, "expires_in_seconds": 60}),
        ("delay_seconds", {"delay_seconds": 60, "lane": "orders", "entity": "a"}),
        ("entity", {"lane": "orders", "entity": "two words"}),
        ("entity", {"lane": "orders", "entity": 7}),
        ("sequence", {"lane": "orders", "entity": "a", "sequence": "7"}),
        ("sequence", {"lane": "orders", "entity": "a", "sequence": 7.0}),
        ("sequence", {"lane": "orders", "entity": "a", "sequence": -1}),
    ],
)
def test_a_bad_span_is_named_as_the_document_names_it(field, spans):
    with pytest.raises(InputError) as refused:
        parse_request({"kind": "test.greet", "args": {}, **spans}, REGISTRY)

    assert [violation.field for violation in refused.value.violations] == [field]


def test_what_a_job_is_about_and_its_number_are_taken():
    asked = {"kind": "test.greet", "args": {}, "lane": "orders", "entity": "order:7", "sequence": 0}

    submission = parse_request(asked, REGISTRY)

    assert (submission.lane, submission.entity, submission.sequence) == ("orders", "order:7", 0)
    assert parse_request({**asked, "sequence": None}, REGISTRY).sequence is None
