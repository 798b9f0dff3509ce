"""What jobs remember, watched from outside: who writes it, what is recorded, and what each attempt must see of it.

`Memories` sees every write of a MEMORY item, as `Records` sees those of a STATE item, and reads it without any of
the shipped code. Jobs tell it which step they ask for, whose function is called, and what came back.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item
from tests.simulation.watchers.invariants import FINAL, Violation
from tidemill.domain.memory import EVERYTHING

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

# Kinds whose steps are forgotten when another version of the code goes on with them.
FORGETTING_KINDS = ("sim.redo",)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one attempt holds."""

    fence: int
    generation: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a redrive asked to forget, and the generation that it opened."""

    generation: int
    forget: str

    @classmethod
    def of(cls, item: Item | None) -> Asked | None:
        """As a MEMORY item knows it."""
        if item is None or "wish" not in item:
            return None
        return cls(int(item["wish"]["M"]["g"]["N"]), item["wish"]["M"]["f"]["S"])


@dataclass(frozen=True, slots=True)
class Shape:
    """A MEMORY item, as far as invariants look at it. `steps`: by name, the place in which it was recorded."""

    fence: int = 0
    epoch: int = 0
    forgot: int = 0
    hand_overs: int = 0
    cursor: str | None = None
    steps: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, item: Item | None) -> Shape:
        """Read an item without any of the shipped code."""
        if item is None:
            return cls()
        numbers = {name: int(item[name]["N"]) for name in ("fence", "epoch", "forgot", "hand_overs") if name in item}
        steps = {name: int(step["M"]["n"]["N"]) for name, step in item["steps"]["M"].items()} if "steps" in item else {}
        return cls(**numbers, cursor=item["cursor"]["S"] if "cursor" in item else None, steps=steps)

    def kept(self, forget: str | None) -> dict[str, int]:
        """The steps that are left once `forget` is obeyed."""
        if forget == "*":
            return {}
        first = self.steps.get(forget or "")
        return self.steps if first is None else {name: n for name, n in self.steps.items() if n < first}


@dataclass(slots=True)
class View:
    """What one attempt has to see: the memory as it opened it, and what it recorded itself.

    Attributes:
        steps: what each remembered step returned. `done`: what functions returned, recorded or not.
        tells: whether the job says whose function is called; not all do.
    """

    claim: Claim
    epoch: int
    forgot: int
    cursor: str | None
    steps: dict[str, Any]
    done: dict[str, Any] = field(default_factory=dict)
    tells: bool = False


class Memories:
    """Watches the memories of a world's jobs (`tenant#id`).

    Attributes:
        claims: what each process holds of each job. `views`: what it sees of its memory.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.claims: dict[tuple[str, Process | None], Claim] = {}
        self.views: dict[tuple[str, Process | None], View] = {}
        # What operators are about to ask, and what was asked with the generation that it opened.
        self._manners: dict[Process | None, str | None] = {}
        self._asked: dict[str, Asked] = {}
        # What the steps that a job remembers returned.
        self._recorded: dict[str, dict[str, Any]] = {}
        self._keys: dict[tuple[str, str, int], str] = {}
        self._effects: dict[tuple[str, str, int], Counter[int]] = {}
        self._records: set[tuple[str, str, int, int]] = set()

    # --- what the world tells -----------------------------------------------------------------------

    def asks(self, forget: str | None) -> None:
        """The operator that runs is about to redrive, and wants `forget` forgotten."""
        self._manners[self._process()] = forget

    def reopened(self, job: str, state: str, generation: int, writer: Process | None) -> None:
        """`writer` opened a generation of a job that stood as `state`.

        It has to begin without what was to be forgotten, whatever the memory says: what an operator asked for, and
        all of a job that was cancelled.
        """
        forget = EVERYTHING if state == "cancelled" else self._manners.get(writer)
        if forget is not None:
            self._asked[job] = Asked(generation, forget)

    def claimed(self, job: str, item: Item, writer: Process | None) -> None:
        """`writer` holds the job from now on."""
        self.claims[job, writer] = Claim(int(item["fence"]["N"]), int(item["generation"]["N"]))
        self.views.pop((job, writer), None)

    def look(self, job: str, before: Item | None, after: Item | None) -> None:
        """Check one change of a MEMORY item."""
        if after is None:
            self._gone(job)
            return
        old, new, writer = Shape.of(before), Shape.of(after), self._process()
        claim = self.claims.get((job, writer))
        self._world.tell("memory", job, str(old), str(new))
        asked = Asked.of(after)
        if asked != Asked.of(before) and asked is not None:
            self._wished(job, asked, old, new, writer)
            return
        if new.fence < old.fence:
            raise Violation("I6", f"the memory of {job} has an old fence: {old} -> {new}")
        if claim is None or claim.fence != new.fence:
            raise Violation("I5", f"the memory of {job} was written by a process that does not hold it: {claim}, {new}")
        if new.fence > old.fence:
            self._opened(job, claim, old, new)
        elif new.epoch != old.epoch or new.forgot != old.forgot:
            self._forgot(job, claim, old, new)
        else:
            self._added(job, old, new)

    def forgot(self, job: str) -> int:
        """The newest generation that was to begin without what earlier ones knew; 0 if there is none."""
        asked = self._asked.get(job)
        return asked.generation if asked else 0

    # --- what jobs tell -----------------------------------------------------------------------------

    def cursor(self, job: str, cursor: object) -> None:
        """This attempt was told that the job stands at `cursor`."""
        view = self._view(job)
        if cursor != (None if view.cursor is None else json.loads(view.cursor)):
            raise Violation("I7", f"{job} goes on at {cursor}, and its last checkpoint was {view.cursor}")

    def keyed(self, job: str, name: str, key: str) -> None:
        """This attempt was told the key of a step."""
        first = self._keys.setdefault((job, name, self._view(job).epoch), key)
        if key != first:
            raise Violation("I7", f"step {name} of {job} has two keys: {first} and {key}")

    def called(self, job: str, name: str) -> None:
        """The function of a step is called."""
        view = self._view(job)
        view.tells = True
        if name in view.steps:
            raise Violation("I7", f"{job} does step {name} again, which was recorded")
        self._world.signs.acts(job)

    def happened(self, job: str, name: str) -> None:
        """The effect of a step happened."""
        view = self._view(job)
        self._effects.setdefault((job, name, view.epoch), Counter())[view.claim.fence] += 1

    def done(self, job: str, name: str, value: object) -> None:
        """The function of a step is about to return `value`."""
        self._view(job).done[name] = value

    def answered(self, job: str, name: str, value: object) -> None:
        """The step answered `value` to the job."""
        view = self._view(job)
        if name not in view.steps:
            raise Violation("I7", f"step {name} of {job} answered {value!r:.60}, and it is not recorded")
        if value != view.steps[name]:
            raise Violation("I7", f"step {name} of {job} answered {value!r:.60}, recorded was {view.steps[name]!r:.60}")

    def raised(self, job: str, name: str, error: BaseException, *, is_over: bool) -> None:
        """The step raised `error`; `is_over`: the attempt's time and its grace are over."""
        view = self.views.get((job, self._process()))
        if view is None or name not in view.done or name in view.steps or is_over:
            return
        process = self._process()
        if type(error).__name__ in ("KilledError", "FenceLostError") or process in self._world.calls.hit:
            return
        raise Violation("I7", f"step {name} of {job} was done, and {type(error).__name__} threw its record away")

    def audit(self) -> None:
        """An effect without a key happened again only for attempts that could not record it."""
        for (job, name, epoch), by_fence in self._effects.items():
            unrecorded = sum((job, name, epoch, fence) not in self._records for fence in by_fence)
            if by_fence.total() > 1 + unrecorded:
                raise Violation("I7", f"step {name} of {job} happened {by_fence.total()} times: {dict(by_fence)}")

    # --- inside -------------------------------------------------------------------------------------

    def _process(self) -> Process | None:
        current = self._world.scheduler.current
        return current.host if current else None

    def _view(self, job: str) -> View:
        view = self.views.get((job, self._process()))
        if view is None:
            raise Violation("I5", f"an attempt of {job} did not open its memory")
        asked = self._owed(job, view.claim, view.forgot)
        if asked is not None:
            raise Violation("I9", f"{job} was to forget {asked.forget} and did not: {view.claim}")
        return view

    def _owed(self, job: str, claim: Claim, forgot: int) -> Asked | None:
        """What an attempt has to forget before it may see anything."""
        asked = self._asked.get(job)
        return asked if asked is not None and forgot < asked.generation <= claim.generation else None

    def _wished(self, job: str, asked: Asked, old: Shape, new: Shape, writer: Process | None) -> None:
        """A redrive, or a rerun of what was cancelled, says in the memory what its generation is to forget.

        It may say nothing else there.
        """
        if writer is None or (writer.role != "operator" and asked != self._asked.get(job)) or new != old:
            raise Violation("I5", f"the memory of {job} was written beside a wish: {old} -> {new}")
        self._asked[job] = asked

    def _opened(self, job: str, claim: Claim, old: Shape, new: Shape) -> None:
        if (old.epoch, old.steps, old.cursor, old.forgot) != (new.epoch, new.steps, new.cursor, new.forgot):
            raise Violation("I7", f"opening the memory of {job} changed it: {old} -> {new}")
        steps = dict(self._recorded.setdefault(job, {}))
        self.views[job, self._process()] = View(claim, new.epoch, new.forgot, new.cursor, steps)

    def _forgot(self, job: str, claim: Claim, old: Shape, new: Shape) -> None:
        asked = self._owed(job, claim, old.forgot)
        kept = old.kept(asked.forget) if asked else old.steps
        by_code = self._world.cloud.items[job, "STATE"]["kind"]["S"] in FORGETTING_KINDS and not new.steps
        if not (asked and new.steps == kept) and not by_code:
            raise Violation("I9", f"{job} forgot what nobody asked it to: {claim}, {old} -> {new}")
        # Asked by a redrive and by new code, it may count as two.
        if new.steps != old.steps and not 1 <= new.epoch - old.epoch <= 1 + by_code:
            raise Violation("I9", f"{job} forgot steps and keeps their keys: {old} -> {new}")
        recorded = {name: value for name, value in self._recorded[job].items() if name in new.steps}
        self._recorded[job] = recorded
        view = self.views[job, self._process()]
        view.epoch, view.forgot, view.cursor, view.steps = new.epoch, new.forgot, new.cursor, dict(recorded)

    def _added(self, job: str, old: Shape, new: Shape) -> None:
        """A step was recorded, or a cursor."""
        view = self.views[job, self._process()]
        if {name: n for name, n in new.steps.items() if name in old.steps} != old.steps:
            raise Violation("I7", f"{job} lost steps: {old} -> {new}")
        for name in new.steps.keys() - old.steps.keys():
            if view.tells and name not in view.done:
                raise Violation("I7", f"{job} recorded step {name}, which this attempt did not do")
            self._recorded[job][name] = view.steps[name] = view.done.get(name)
            self._records.add((job, name, new.epoch, new.fence))
        if new.cursor != old.cursor:
            if old.cursor is not None and int(new.cursor or -1) < int(old.cursor):
                raise Violation("I7", f"the cursor of {job} went back: {old} -> {new}")
            view.cursor = new.cursor
            self._world.signs.acts(job)
        if new.hand_overs not in (old.hand_overs, old.hand_overs + 1):
            raise Violation("I14", f"{job} counts its hand-overs wrongly: {old} -> {new}")

    def _gone(self, job: str) -> None:
        """DynamoDB deleted it: nothing may go on from it any more."""
        state = self._world.cloud.items.get((job, "STATE"))
        if state is None:
            return
        is_kept = int(state.get("keep_until", {"N": "0"})["N"]) > self._world.scheduler.now_ms
        if state["state"]["S"] not in FINAL or (state["state"]["S"] == "dead" and is_kept):
            raise Violation("I1", f"the memory of {job} is gone before its time")
