"""What jobs remember, when AWS refuses."""

import pytest

from tests.contract.builders import TTL, make_job
from tests.unit.aws.stub import Wire, error
from tidemill.aws.memory import DynamoJobMemory
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory, Remembered

JOB = make_job(State.RUNNING, fence=1)
CALLS = pytest.mark.parametrize(
    "call",
    [
        lambda memory: memory.open(JOB, TTL, "one"),
        lambda memory: memory.remember(JOB, Remembered("a", 1, None, 0, 1), {}),
        lambda memory: memory.checkpoint(JOB, "1", 0),
        lambda memory: memory.forget(JOB, Memory()),
        lambda memory: memory.look(JOB.ref),
    ],
    ids=["open", "remember", "checkpoint", "forget", "look"],
)


@CALLS
@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_lasting_refusal_is_no_fault_of_the_job(call, code):
    """Raised as it is, it would be permanent: one wrong role would kill every job that uses a step."""
    with pytest.raises(UnavailableError, match=code):
        call(DynamoJobMemory(Wire(repeat=error(code)).dynamodb, "jobs"))


@CALLS
def test_an_ill_formed_request_is_a_mistake_that_no_waiting_mends(call):
    wire = Wire(repeat=error("ValidationException"))

    with pytest.raises(wire.dynamodb.exceptions.ClientError):
        call(DynamoJobMemory(wire.dynamodb, "jobs"))
