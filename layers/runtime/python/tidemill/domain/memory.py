"""What a job remembers across attempts, redrives and hand-overs: its finished steps and its cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, StepError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.payload import Stored
from tidemill.domain.strict_json import dump_canonical

# `Wish.forget`: nothing is remembered in the generation that is opened.
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Remembered:
    """One finished step.

    Attributes:
        name: what the job calls it; unique within the job.
        number: the place in which it was recorded, from 1.
        result: what it returned as JSON text; None if it returned None, or if `stored` says where it is.
        stored: where a large result is kept.
        at: when it was recorded, Unix milliseconds. `generation`: the job's then.
        code: the version of the code that recorded it, "" if the deployment names none.
        undoes: it was recorded after the job had heard that it is to stop: it cleans up.
    """

    name: str
    number: int
    result: str | None
    at: int
    generation: int
    code: str = ""
    stored: Stored | None = None
    undoes: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a redrive wants forgotten. It is written together with the generation that it opens.

    Attributes:
        generation: the first one that obeys it.
        forget: `*` everything, else the name of a step that is forgotten with all that came after it.
    """

    generation: int
    forget: str


def forgotten_by_rerun(before: Job) -> str | None:
    """What a new generation of the final job `before`, asked for by its key, does not remember; see Wish.

    One that was cancelled may have undone what its steps did, so that they are wanted again. One that died goes on.
    """
    return EVERYTHING if before.state is State.CANCELLED else None


@dataclass(frozen=True, slots=True)
class Memory:
    """All that one job remembers.

    Attributes:
        fence: of the attempt that opened it; writers with another one are refused.
        epoch: how often the steps were forgotten on purpose. It is part of every step key from then on.
        steps: by name, in the order they were recorded.
        cursor: the last checkpoint as JSON text. `hand_overs`: invocations that went on from a cursor.
        wish: the last redrive's that wanted something forgotten. `forgot`: the generation of the last one obeyed.
        code: the version of the code that opened it first, or first after a forgetting; "" if none was named.
        asked: steps that were asked for and are not recorded: they failed, or their worker died in them. By name,
            the version of the code that asked last. Written with the next record, so those of a worker that died
            before it recorded anything more are missing.
    """

    fence: int = 0
    epoch: int = 0
    steps: Mapping[str, Remembered] = field(default_factory=dict)
    cursor: str | None = None
    hand_overs: int = 0
    forgot: int = 0
    wish: Wish | None = None
    code: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def owed(self) -> Wish | None:
        """What is to be forgotten and still remembered."""
        return self.wish if self.wish is not None and self.wish.generation > self.forgot else None

    @property
    def next_number(self) -> int:
        """The place of the next step."""
        return 1 + max((step.number for step in self.steps.values()), default=0)

    def remembering(self, step: Remembered, asked: Mapping[str, str]) -> Memory:
        """With one more step, and these asked for beside it."""
        return replace(self, steps={**self.steps, step.name: step}, asked=asked)

    def forgetting(self, forget: str | None) -> Memory:
        """Without the steps that a restart ("*": all, and the cursor; else from the step of that name on) forgets.

        A step that is not remembered forgets nothing.
        """
        if forget is None:
            return self
        kept: dict[str, Remembered] = {}
        if forget != EVERYTHING:
            first = self.steps.get(forget)
            if first is None:
                return self
            kept = {name: step for name, step in self.steps.items() if step.number < first.number}
        return replace(self, epoch=self.epoch + 1, steps=kept, cursor=None, hand_overs=0, code="", asked={})

    def obeying(self, generation: int) -> Memory:
        """As an attempt of `generation` knows it: without what it owes to forget.

        One of an earlier generation obeys nothing: what it forgot now, it would remember again, and the
        generation that was to begin without those steps would find them.
        """
        wish = self.owed
        if wish is None or wish.generation > generation:
            return self
        return replace(self.forgetting(wish.forget), forgot=wish.generation)


def check_step_name(name: object) -> str:
    """Return `name` if it can name a step: 1 to 64 printable ASCII characters.

    Raises:
        StepError: it can't.
    """
    longest = limits.MAX_STEP_NAME_CHARS
    if isinstance(name, str) and 0 < len(name) <= longest and name.isascii() and name.isprintable():
        return name
    raise StepError.at("step", f"the name {name!r} must be 1 to {longest} printable ASCII characters", "name")


def encode_cursor(cursor: object) -> str:
    """A cursor as canonical JSON text.

    Raises:
        StepError: it is no JSON, or longer than 4,096 bytes.
    """
    try:
        encoded = dump_canonical(cursor, "cursor")
    except InputError as error:
        raise StepError(*error.violations) from None
    if len(encoded) > limits.MAX_CURSOR_BYTES:
        raise StepError.at(
            "cursor",
            f"is {len(encoded)} bytes, the limit is {limits.MAX_CURSOR_BYTES}. "
            "Fix: keep the data elsewhere, and its position in the cursor",
            "too_large",
        )
    return encoded.decode("utf-8")
