"""One seed, one schedule: everything that a process needs to play any number of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from tests.simulation.faults import Plan, Swarm
from tests.simulation.functions import Functions
from tests.simulation.jobs import registries
from tests.simulation.setting import Setting
from tests.simulation.stage import Capture, play, set_up
from tests.simulation.watchers.audit import audit_logs
from tests.simulation.watchers.invariants import Violation
from tests.simulation.world import Outcome, Story, World
from tests.simulation.worlds import WORLDS


@dataclass(frozen=True, slots=True, order=True)
class Seed:
    """One schedule's name: a world and a number, written `basic:17`."""

    world: str
    number: int

    def __str__(self) -> str:
        return f"{self.world}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> Seed:
        """Read what `str` writes.

        Raises:
            ValueError: there is no such world, or no number.
        """
        world, _, number = text.partition(":")
        if world not in WORLDS:
            raise ValueError(f"no world {world!r}; known: {', '.join(WORLDS)}")
        return cls(world, int(number))


class Stage:
    """Plays schedules, one after the other. Made by `opened`."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._deployments: dict[tuple[bool, bool, bool], list[Functions]] = {}

    def play(self, seed: Seed, story: Story | None = None) -> Outcome:
        """The schedule of a seed; the same every time."""
        setting = WORLDS[seed.world]
        # A text as the seed: Python hashes it in a way of its own, which no environment variable changes.
        rng = Random(str(seed))  # noqa: S311 - not a secret
        return self.play_with(setting, rng, Swarm(rng, setting.kinds, setting.certain), story)

    def play_with(self, setting: Setting, rng: Random, faults: Plan, story: Story | None = None) -> Outcome:
        """The schedule of a setting with these faults."""
        world = World(rng, faults, self._deployed(setting), story)
        with play(world):
            outcome = world.run(setting)
        text = self._capture.taken()
        try:
            audit_logs(text)
        except Violation as violation:
            return Outcome(outcome.calls, outcome.faults, outcome.accepted, outcome.violation or violation)
        return outcome

    def _deployed(self, setting: Setting) -> list[Functions]:
        """The code, newest first. Its containers start when they are needed."""
        sort = (setting.has_sagas, setting.has_outbox, setting.has_subscribers)
        if sort not in self._deployments:
            found = registries(
                has_sagas=setting.has_sagas, has_outbox=setting.has_outbox, has_subscribers=setting.has_subscribers
            )
            self._deployments[sort] = [Functions(registry, version) for version, registry in found.items()]
        return self._deployments[sort]


@contextmanager
def opened(environ: Mapping[str, str] = os.environ) -> Iterator[Stage]:
    """A stage with everything in its place. One at a time in a process."""
    before = dict(environ)
    capture = Capture()
    os.environ.update(_ENVIRON)
    try:
        with set_up(capture):
            yield Stage(capture)
    finally:
        os.environ.clear()
        os.environ.update(before)


_ENVIRON = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
