"""The janitor's two duties in a model, and the promises that are the same for every model of messages."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.known import Known
from tests.model.machine import Machine
from tests.model.parts import Message, World, is_far
from tests.model.replay import Call
from tests.model.search import Edge
from tidemill.domain.lifecycle import State


class Tended(Machine):
    """A machine with a sweep and a census, one of each at a time."""

    def sweep(self, world: World) -> Iterator[Edge]:
        if not self._is_busy(world, "sweeps") and _is_the_sweeps(world):
            process = self.process("sweeps", 100 + world.clock, world.now_ms)
            yield from self.started(world, "the sweep begins", process)

    def census(self, world: World) -> Iterator[Edge]:
        if self._is_busy(world, "takes census"):
            return
        for message in world.messages:
            if message.place == "dlq":
                seen = Message(message.sent, message.envelope, receives=message.receives)
                process = self.process("takes census", seen, world.job, world.now_ms)
                if self.would_call(process):
                    yield from self.started(world, f"the census meets m{message.sent}", process)

    def would_call(self, process: Known) -> bool:
        """Whether it does anything at all."""
        return isinstance(self.next_of(process), Call)

    def _is_busy(self, world: World, service: str) -> bool:
        return any(process.value.service == service for process in world.processes)


def _is_the_sweeps(world: World) -> bool:
    job = world.job
    if job is None or not (job.state is State.SCHEDULED or job.watched):
        return False
    return not is_far(job.claimable_at) or world.ripe >= (2 if job.state is State.RUNNING else 1)


def left_final(before: World, after: World) -> str:
    was, now = before.job, after.job
    if was is None or now is None or was is now:
        return ""
    if was.state.is_final and now.generation == was.generation and now.state is not was.state:
        return f"{was.state} became {now.state} in its generation"
    if now.state is State.SUCCEEDED and now.generation not in after.ran:
        return "succeeded without a run"
    return ""


def lost(world: World) -> str:
    """An accepted job without a message, due-index entry or final state; or a dead one without a way back."""
    job = world.job
    if job is None:
        return "accepted, and no copy and no record" if world.accepted and not _lives(world) else ""
    is_owned = any(known.value.fingerprint == job.fingerprint for known in world.kept)
    if job.state is State.DEAD:
        return "" if _has_dead_letter(world) or (job.owns_args and is_owned) else "a dead job that can't be redriven"
    if job.state.is_final:
        return ""
    if job.state is State.SCHEDULED or job.watched:
        return "" if is_owned else f"{job.state} in the due index without its arguments"
    return "" if _lives(world) else f"{job.state} and no copy of its message anywhere"


def _lives(world: World) -> bool:
    job = world.job
    return any(
        message.place != "gone" and (job is None or message.envelope.value.fingerprint == job.fingerprint)
        for message in world.messages
    )


def _has_dead_letter(world: World) -> bool:
    job = world.job
    assert job is not None
    held = job.held.send_id if job.held else ""
    return any(m.place != "gone" and m.envelope.value.send_id == held for m in world.messages)
