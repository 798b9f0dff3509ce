"""Random sequences of requests: the fake answers as each emulator does, but where a difference is named.

The sequences are the same in every run.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.conformance import dynamodb_steps, sqs_steps
from tests.conformance.compare import answer_of, touched
from tests.conformance.differences import BY_NAME, known
from tests.conformance.sqs_steps import Talk
from tests.conformance.subjects import Fake

DYNAMODB_SEQUENCES = 120
SQS_SEQUENCES = 80


def random(examples):
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


class Tally:
    """How many sequences ran to their end: a comparison that is cut short everywhere compares nothing."""

    def __init__(self) -> None:
        self.whole = self.cut = 0


def holds(emulator, step, near, ours, theirs):
    """Whether the two still hold the same.

    An answer may differ if the step comes near an edge at which this emulator is known to differ; where that
    difference lasts, the rest of the sequence says nothing.
    """
    differences = known(emulator, near)
    assert ours == theirs or differences, step
    lasts = any(one.lasting for one in differences)
    # What SQS did to a message shows in later answers only.
    return not lasts if step[0] != "dynamodb" else ours == theirs or not lasts


def test_dynamodb(emulator):
    tally = Tally()

    @random(DYNAMODB_SEQUENCES)
    @given(dynamodb_steps.sequences)
    def compare(steps):
        ours, theirs = Fake(), emulator()
        for step in [*steps, *dynamodb_steps.EVERYTHING]:
            if any(one.left_out for one in known(theirs.name, touched(step, {}))):
                continue
            one = answer_of(ours, step)
            other = answer_of(theirs, step)
            if not holds(theirs.name, step, touched(step, one), one, other):
                tally.cut += 1
                return
        tally.whole += 1

    compare()

    assert tally.whole > 3 * tally.cut


@pytest.mark.parametrize("queues", [sqs_steps.STANDARD, sqs_steps.FIFO], ids=["standard", "fifo"])
def test_sqs(emulator, queues):
    tally = Tally()

    @random(SQS_SEQUENCES)
    @given(sqs_steps.sequences(queues))
    def compare(steps):
        fake, other = Fake(), emulator()
        ours, theirs = Talk(fake), Talk(other)
        for step in [*steps, *(("GetQueueAttributes", queue, {}) for queue in queues)]:
            near = ours.touched(fake, step)
            if not holds(other.name, step, near, ours.answer(step), theirs.answer(step)):
                tally.cut += 1
                return
        tally.whole += 1

    compare()

    assert tally.whole > tally.cut


def test_the_edges_that_sequences_know_are_named_differences():
    names = touched(
        ("dynamodb", "UpdateItem", {"ReturnValues": "UPDATED_NEW", "x": "size( REMOVE"}),
        {"Error": "ValidationException"},
    )

    assert names
    assert names <= BY_NAME.keys()
