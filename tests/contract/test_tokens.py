"""TaskTokens: all tokens of a job are kept, each once, and found with what is wanted."""

from dataclasses import replace
from itertools import count

import pytest

from tests.contract.backends import create_jobs_table
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.tokens import DynamoTaskTokens
from tidemill.domain.errand import Awaited, Errand
from tidemill.domain.job import JobRef
from tidemill.domain.saga.words import Role
from tidemill.testing.executions import MemoryTokens

SAGA = "0196f000-0000-7000-8000-000000000001"
ERRAND = Errand(SAGA, "orders.place", "reserve", returns=("shelf", "count"))
UNDO = Errand(SAGA, "orders.place", "reserve", Role.UNDO, waits=True, was_done=True, undoes="stock.reserve")
REF = JobRef("acme", ERRAND.job_id())
# The longest that Step Functions gives.
LONG = "a" * 2_048
UNTIL = 1_900_000_000
_numbers = count(1)


@pytest.fixture(params=["memory", "moto", "ministack"])
def tokens(request):
    if request.param == "memory":
        return MemoryTokens()
    table = f"tokens-{next(_numbers)}"
    client = request.getfixturevalue(request.param).dynamodb
    create_jobs_table(client, table)
    return DynamoTaskTokens(client, table)


def test_what_is_kept_is_found(tokens):
    awaited = [Awaited(REF, ERRAND, ("t1",)), Awaited(JobRef("acme", UNDO.job_id()), UNDO, (LONG,))]

    assert tokens.keep(awaited, UNTIL) == [None, None]

    assert tokens.find([one.ref for one in awaited]) == awaited
    assert tokens.find([awaited[1].ref]) == awaited[1:]


def test_a_job_that_nobody_waits_for_has_none(tokens):
    tokens.keep([Awaited(REF, ERRAND, ("t1",))], UNTIL)

    assert tokens.find([replace(REF, tenant="zeta"), JobRef("acme", UNDO.job_id())]) == [None, None]
    assert tokens.find([]) == []


def test_tokens_add_up_and_one_that_comes_again_adds_nothing(tokens):
    for token in ("t2", "t1", "t2"):
        assert tokens.keep([Awaited(REF, ERRAND, (token,))], UNTIL) == [None]

    (found,) = tokens.find([REF])
    assert found == Awaited(REF, ERRAND, ("t1", "t2"))


def test_a_message_that_was_refused_is_noted_until_another_one_is(tokens):
    refused = "0196f000-0000-8000-8000-000000000009"
    tokens.keep([Awaited(REF, ERRAND, ("t1",), refused)], UNTIL)
    tokens.keep([Awaited(REF, ERRAND, ("t2",))], UNTIL)

    assert tokens.find([REF]) == [Awaited(REF, ERRAND, ("t1", "t2"), refused)]


def test_two_tokens_of_one_job_in_one_call(tokens):
    assert tokens.keep([Awaited(REF, ERRAND, ("t1",)), Awaited(REF, ERRAND, ("t2",))], UNTIL) == [None, None]

    (found,) = tokens.find([REF])
    assert found is not None
    assert found.tokens == ("t1", "t2")


@pytest.mark.parametrize("backend", ["moto", "ministack"])
def test_a_token_is_no_record(backend, request):
    client = request.getfixturevalue(backend).dynamodb
    table = f"tokens-{next(_numbers)}"
    create_jobs_table(client, table)
    DynamoTaskTokens(client, table).keep([Awaited(REF, ERRAND, ("t1",))], UNTIL)

    assert DynamoJobReader(client, table).find([REF]) == [None]
