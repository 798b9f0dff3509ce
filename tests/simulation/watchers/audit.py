"""What must hold when everything is quiet: nothing accepted is lost, nothing happened that nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.jobs.behaviour import CANARY, Behaviour, Conduct
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import State, Violation, is_refusal

if TYPE_CHECKING:
    from tests.simulation.world import World

# The reason of a job that died because nobody answered it: whether that is true is `watchers.answers`' to say.
UNANSWERED = "wait_timed_out"


def audit(world: World) -> None:
    """Check the table, the queues and the dependency against the ledger."""
    records = world.cloud.records()
    _nothing_lost(world, records)
    _nothing_unexpected(world, records)
    _deaths_are_visible(world, records)
    _effects_fit(world, records)
    _keys_fit(world)
    if world.is_calm:
        _calm_means_well(world, records)


def redriveable(world: World) -> dict[str, State]:
    """The jobs that are dead, and may run again."""
    states = {job: State.of(item) for job, item in world.cloud.records().items()}
    return {job: state for job, state in states.items() if state.state == "dead" and not state.is_closed}


def audit_redriven(world: World, dead: dict[str, State]) -> None:
    """Every job that was dead ran again, in a generation of its own."""
    records = world.cloud.records()
    for job, before in dead.items():
        if is_refusal(records[job]) or job in world.spoiled:
            continue
        after = State.of(records[job])
        if after.is_closed:
            continue
        if after.generation <= before.generation:
            raise Violation("I9", f"{job} was redriven and did not run again: {before} -> {after}")
        if after.state == "dead" and not _dies_rightly(world, job, records[job]["reason"]["S"]):
            raise Violation("I9", f"{job} was redriven and died again of {records[job]['reason']['S']}")


def _dies_rightly(world: World, job: str, reason: str) -> bool:
    """Whether its last start misbehaved, or its deaths are those of its workers."""
    number = _number_of(world, job)
    if number is None or reason in ("poison", "crashed", "code_changed", "steps_changed", UNANSWERED):
        return True
    return world.behaviours[number].now(world.ledger.latest.get(job, world.ledger.started[number])) is not Conduct.WELL


def _number_of(world: World, job: str) -> int | None:
    if job in world.ledger.accepted:
        return world.ledger.accepted[job]
    return next((number for number, jobs in world.ledger.jobs.items() if job in jobs), None)


def _nothing_lost(world: World, records: dict[str, Any]) -> None:
    for job, number in world.ledger.accepted.items():
        if job not in records and world.is_forgotten(job):
            continue
        if job not in records and world.ledger.letters.get(job) in records:
            # It stands there as a message that nobody read, and becomes the job once it is redriven.
            continue
        if job not in records:
            raise Violation("lost", f"{job} (number {number}) was accepted and has no record")
        state = State.of(records[job])
        if not state.is_final:
            raise Violation("I2", f"{job} (number {number}) never came to rest: {state}")


def _nothing_unexpected(world: World, records: dict[str, Any]) -> None:
    for number, jobs in world.ledger.jobs.items():
        for job in jobs:
            if job not in records:
                raise Violation("unexpected", f"{job} ran number {number} and has no record")
    for job in world.dependency.jobs:
        if job not in records:
            raise Violation("unexpected", f"an effect belongs to no job: {job}")


def _deaths_are_visible(world: World, records: dict[str, Any]) -> None:
    held = {job_of(message): None for message in world.cloud.buried()}
    for job, item in records.items():
        if item["state"]["S"] != "dead" or State.of(item).is_closed:
            continue
        args = f"ARGS#{item['fingerprint']['S']}"
        if not is_refusal(item) and (job, args) not in world.cloud.items and job not in held:
            raise Violation("I3", f"{job} is dead, and neither the DLQ nor the table holds its arguments")
        if "attention_pk" not in item:
            raise Violation("I3", f"{job} is dead and stands in no list")
    for job in held:
        if job not in records:
            raise Violation("I3", f"the DLQ holds {job}, and the table has no record of it")


def _effects_fit(world: World, records: dict[str, Any]) -> None:
    for job, item in records.items():
        state, generation = item["state"]["S"], int(item["generation"]["N"])
        has_to_run = job not in world.ledger.idle
        if state == "succeeded" and has_to_run and job not in world.dependency.jobs:
            raise Violation("I8", f"{job} succeeded and had no effect")
        if state == "expired" and world.ledger.started_in[job, generation]:
            raise Violation("I8", f"{job} is expired in generation {generation}, in which it had started")
        if state == "succeeded" and has_to_run and not world.ledger.ended[job, generation]:
            raise Violation("I8", f"{job} succeeded in generation {generation}, in which it never ended well")
        never_claimed = not world.records.claimed.get((job, generation))
        if never_claimed and world.ledger.started_in[job, generation]:
            raise Violation("I8", f"{job} is {state}, was never claimed in generation {generation}, and ran")


def _keys_fit(world: World) -> None:
    for number, jobs in world.ledger.jobs.items():
        wanted = world.ledger.wanted[number]
        if wanted.key is not None and len(jobs) > 1:
            raise Violation("I16", f"number {number} with key {wanted.key} ran as {list(jobs)}")
        if len(jobs) > 1 and wanted.via != "message":
            raise Violation("I7", f"number {number} ran as {list(jobs)}, each with an effect of its own")


def _calm_means_well(world: World, records: dict[str, Any]) -> None:
    """Where nothing went wrong, no job dies that is well, and no DLQ holds a message of one that succeeded."""
    for job, item in records.items():
        number, is_dead = _number_of(world, job), item["state"]["S"] == "dead"
        if is_dead and item["reason"]["S"] == UNANSWERED:
            continue
        if number is not None and world.behaviours[number] == Behaviour() and is_dead:
            raise Violation("I14", f"{job} died though nothing was wrong: {item['reason']['S']}")
    for message in world.cloud.buried():
        job = job_of(message)
        if records[job]["state"]["S"] != "dead":
            raise Violation("I14", f"the DLQ holds a message of {job}, which is {records[job]['state']['S']}")


def audit_logs(text: str) -> None:
    """No payload in what the functions wrote."""
    if CANARY in text:
        at = text.index(CANARY)
        raise Violation("I18", f"payload in a log: {text[max(at - 200, 0) : at + 40]}")
