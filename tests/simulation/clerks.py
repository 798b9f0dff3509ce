"""Operators at the desk: they redrive, edit, purge and look, one by one and by filter, at any moment and at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.simulation.cloud import Item
from tests.simulation.jobs.behaviour import LANE
from tests.simulation.jobs.mended import KIND, STEP
from tests.simulation.watchers.trail import Act, Trail
from tidemill import seconds
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.bulk import Care
from tidemill.service.canary import Bird, CanaryEnded
from tidemill.service.dead_filter import Filter
from tidemill.service.deadletters import DeadLetterDesk
from tidemill.service.editing import Edit
from tidemill.service.manner import RESUME, Manner, Mode
from tidemill.service.redriving import ONE_SEARCH, NotRedriven, Redriven

if TYPE_CHECKING:
    from tests.simulation.world import World

# What somebody does, at the desk and perhaps with one dead job.
Deed: TypeAlias = Callable[[Act, DeadLetterDesk, str | None], Any]
_MANNERS: Final = (RESUME, RESUME, Manner(Mode.RESTART), Manner(Mode.FROM_STEP, STEP))
_TRIES: Final = 3
# How often somebody looks whether a DLQ holds anything.
_PATIENCE: Final = 60


class Clerks:
    """Starts a process for each thing that one of them does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._trail = world.part(Trail)
        self._came = 0

    def redrive(self, at_ms: int, *, times: int = 1) -> None:
        """One dead job, in any manner; `times` operators have the same idea at once."""
        self._at(at_ms, self._redrive, times)

    def restart(self, at_ms: int) -> None:
        """One dead job, from its beginning."""
        self._at(at_ms, lambda _, desk, job: job and desk.redrive(_ref(job), Manner(Mode.RESTART)))

    def edit(self, at_ms: int, *, times: int = 1) -> None:
        """One dead job gets another colour."""
        self._at(at_ms, self._edit, times)

    def redrive_many(self, at_ms: int) -> None:
        """What a filter means, with a canary or a rate."""
        self._at(at_ms, self._redrive_many)

    def redrive_in_two_calls(self, at_ms: int) -> None:
        """As `POST /dlq/redrive` does it: a canary, and the others once it has ended well."""
        self._at(at_ms, self._redrive_in_two_calls)

    def redrive_lane(self, at_ms: int) -> None:
        """A whole DLQ, with a canary or a rate."""
        self._at(at_ms, self._redrive_lane)

    def purge(self, at_ms: int) -> None:
        """A look at a DLQ that holds something, perhaps a thought, and what was seen is deleted."""
        self._at(at_ms, self._purge)

    def look(self, at_ms: int) -> None:
        """Dry runs, and an edit that does not fit."""
        self._at(at_ms, self._look)

    # --- what they do -----------------------------------------------------------------------------

    def _redrive(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        if job is not None:
            desk.redrive(_ref(job), self._manner(job))

    def _edit(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        if job is None:
            return
        act.colour = act.actor
        desk.edit(_ref(job), Edit({"colour": act.colour}), self._manner(job))

    def _redrive_many(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        wanted = self._filter(job)
        jobs, _ = desk.inspection.choose(wanted)
        for event in desk.redrive_all(jobs, self._manner(job), self._care(), chosen=wanted):
            self._note(act, event)

    def _redrive_in_two_calls(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        world, wanted, manner = self._world, self._filter(job), self._manner(job)
        until = world.scheduler.now_ms + 15_000
        call: dict[str, Any] = {
            "chosen": wanted,
            "has_time": lambda wait_s: world.scheduler.now_ms + wait_s * 1_000 < until,
            "search": ONE_SEARCH,
        }
        jobs, _ = desk.inspection.chosen_page(wanted, 50, None)
        redriven = []
        for event in desk.redrive_canary(jobs, manner, Care(canary=1), **call):
            self._note(act, event)
            redriven.append(event)
        birds = [Bird.of(one, flew=isinstance(redriven[0], Redriven)) for one in jobs if one.ref == redriven[0].ref]
        for _ in range(30):
            ended = desk.canary_of(birds)
            if ended.passed or ended.has_failed:
                break
            world.scheduler.sleep(2_000)
        self._trail.landed(act, passed=ended.passed)
        if ended.passed:
            act.flown.clear()
            left, until = [one for one in jobs if one.ref != birds[0].ref], world.scheduler.now_ms + 15_000
            for event in desk.redrive_all(left, manner, Care(after=tuple(birds)), **call):
                self._note(act, event)

    def _redrive_lane(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        for event in desk.redrive_lanes((LANE,), self._care()):
            self._note(act, event)

    def _purge(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        act.is_purge = True
        for _ in range(_PATIENCE):
            if self._world.cloud.buried():
                break
            self._world.scheduler.sleep(5_000)
        wanted = self._world.rng.choice((Filter(lane=LANE), Filter(lane=LANE), self._filter(job)))
        found = desk.purgeable(wanted)
        self._world.scheduler.sleep(self._world.rng.choice((1, 500, 20_000)))
        list(desk.purge(found, wanted))

    def _look(self, act: Act, desk: DeadLetterDesk, job: str | None) -> None:
        act.is_look = True
        looks: list[Callable[[], Any]] = [
            lambda: desk.inspection.groups(Filter()),
            lambda: desk.purgeable(Filter()),
            desk.depths,
        ]
        if job is not None:
            ref, manner = _ref(job), self._manner(job)
            looks += [
                lambda: desk.inspection.show(ref),
                lambda: desk.inspection.foresee(desk.inspection.dead(ref), manner),
                lambda: desk.inspection.foresee_edit(ref, Edit({"colour": "never"}), manner),
                lambda: desk.edit(ref, Edit({"colour": 5}), manner),
                lambda: desk.edit(ref, Edit({"shade": "none"}), manner),
            ]
        self._world.rng.choice(looks)()

    # --- how they do it ---------------------------------------------------------------------------

    def _at(self, at_ms: int, does: Deed, times: int = 1) -> None:
        world = self._world
        world.operators.acted += 1
        world.later(at_ms, lambda: self._come(does, times))

    def _come(self, does: Deed, times: int) -> None:
        job = self._any_dead()
        for _ in range(times):
            self._came += 1
            actor = f"clerk {self._came}"
            self._world.start(actor, lambda actor=actor: self._work(does, actor, job), role="operator")

    def _work(self, does: Deed, actor: str, job: str | None) -> None:
        """Do it, and again where nobody answered; what can't be done is given up."""
        act = self._trail.begin(Act(actor))
        desk = self._world.deployment.program.desk.acting_as(actor)
        for _ in range(_TRIES):
            try:
                does(act, desk, job)
            except UnavailableError:
                self._world.scheduler.sleep(self._world.rng.choice((500, 5_000)))
                continue
            except TidemillError as error:
                self._world.tell("not done", actor, error.code)
            return

    def _note(self, act: Act, event: object) -> None:
        match event:
            case CanaryEnded(passed=passed):
                self._trail.landed(act, passed=passed)
            case Redriven(ref=ref) | NotRedriven(ref=ref):
                self._trail.flew(act, f"{ref.tenant}#{ref.id}")

    def _manner(self, job: str | None) -> Manner:
        manner = self._world.rng.choice(_MANNERS)
        is_stepped = job is not None and self._record(job)["kind"]["S"] == KIND
        return manner if is_stepped or manner.mode is not Mode.FROM_STEP else RESUME

    def _care(self) -> Care:
        rng = self._world.rng
        return Care(rng.choice((None, None, 0.5, 2)), rng.choice((0, 1, 1, 2)), seconds(rng.choice((20, 60))))

    def _filter(self, job: str | None) -> Filter:
        """What a look at one dead job suggests."""
        if job is None:
            return Filter(lane=LANE)
        item, rng = self._record(job), self._world.rng
        parts = {"kind": "kind", "reason": "reason", "error": "error", "lane": "lane"}
        name = rng.choice([name for name, attribute in parts.items() if attribute in item])
        return Filter(**{name: item[parts[name]]["S"]})

    def _record(self, job: str) -> Item:
        return self._world.cloud.records()[job]

    def _any_dead(self) -> str | None:
        dead = [job for job, item in self._world.cloud.records().items() if item["state"]["S"] == "dead"]
        return self._world.rng.choice(dead) if dead else None


def _ref(job: str) -> JobRef:
    tenant, _, job_id = job.partition("#")
    return JobRef(tenant, job_id)
