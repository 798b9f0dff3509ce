"""The simulation checks every call against `tests/simulation/watchers/roles.json`: it holds what the template says."""

import json
import re

import pytest

from tests.infrastructure.stacks import Synthesised
from tests.infrastructure.test_permissions import allowed
from tests.simulation.watchers import roles
from tidemill_cdk import permissions

# A lane without rights of its own.
FUNCTIONS = {"worker": "WorkerCritical", "janitor": "Janitor"}
OTHERS = re.compile(r"<(IdempotencyRecords|JanitorFailedTicks)\.Arn>|\*")
WORDS = (
    (r"<JobsTable\.Arn>", "jobs"),
    (r"<Queue\w+\.Arn>", "queue"),
    (r"<Dlq\w+\.Arn>", "dlq"),
    (r"<Payloads\.Arn>", "payloads"),
)


def in_one_lane(resource):
    for pattern, word in WORDS:
        resource = re.sub(pattern, word, resource)
    return resource


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_simulation_knows_the_roles(production: Synthesised, function, repository):
    pairs = {
        (action, in_one_lane(resource))
        for action, resource in allowed(production, FUNCTIONS[function])
        if not OTHERS.fullmatch(resource)
    }
    simulated = json.loads((repository / "tests/simulation/watchers/roles.json").read_text())[function]

    assert {(action, resource) for action, found in simulated.items() for resource in found} == pairs


def test_the_simulation_knows_what_programs_with_an_outbox_may_do_beside():
    assert {right for right, _ in roles.OUTBOX} == {*permissions.TABLE_QUERY, *permissions.BUS_PUBLISH}


def test_the_simulation_knows_what_programs_with_sagas_may_do_beside():
    assert roles.SAGA_REPORT == permissions.SAGA_REPORT
