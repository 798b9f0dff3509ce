"""What the snapshots say of a program: what it would break, and which snapshots are to be written. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.args import JobArgs
from tidemill.domain.contract import Contract
from tidemill.domain.event import Event
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schema.change import Schema
from tidemill.domain.schema.shape import schema_of
from tidemill.domain.schema.snapshot import Part, Snapshot

WRITE: Final = "run `tidemill schema snapshot` and commit what it writes"
# Jobs of Tidemill's own, which no project keeps snapshots of.
_OWN: Final = "tidemill."


@dataclass(frozen=True, slots=True)
class Described:
    """A contract of the program as it is now. `former`: earlier names, of which messages may still come."""

    part: Part
    name: str
    version: int
    schema: Schema
    former: tuple[str, ...] = ()
    lane: str | None = None

    def snapshot(self) -> Snapshot:
        """The snapshot of a version that there is none of."""
        return Snapshot(self.part, self.name, self.version, self.schema)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One thing that the snapshots say.

    Attributes:
        name: the kind or type. `lane`: of the kind, if it is one of the program's.
        problem: what is wrong or out of date. `fix`: what to do.
        refused: whether the program must not be deployed so.
    """

    name: str
    problem: str
    fix: str
    refused: bool
    lane: str | None = None

    def __str__(self) -> str:
        return f"{self.problem}. Fix: {self.fix}"


def described_in(registry: JobRegistry) -> list[Described]:
    """The contracts of a program: the arguments of its jobs, its events, and those that its streams keep for ever."""
    kept = {event.event_type: event for stream in registry.streams.values() for event in stream.events}
    # An event that is published and kept is one class; the registry sees to it.
    events: Mapping[str, type[Event]] = {**registry.events, **kept}
    jobs = [
        _described(Part.ARGS, one.kind, one.args_type, one.args_type.job_aliases, one.lane)
        for one in registry
        if not one.kind.startswith(_OWN)
    ]
    facts = [_described(Part.EVENT, name, one) for name, one in events.items() if not name.startswith(_OWN)]
    return [*jobs, *facts]


def judge(now: Sequence[Described], snapshots: Sequence[Snapshot]) -> list[Judgement]:
    """What is to be refused, and what is out of date; refused first."""
    if not snapshots:
        hint = "there are no schema snapshots, so that nobody is told before a change breaks jobs that wait"
        return [Judgement("", hint, WRITE, refused=False)] if now else []
    found = [one for contract in now for one in _judged(contract, _of(contract, snapshots))]
    found += _orphans(now, snapshots)
    return sorted(found, key=lambda one: not one.refused)


def renewed(now: Sequence[Described], snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """The snapshots that are to be written so that none is missing or out of date. Only where nothing is refused."""
    found: list[Snapshot] = []
    for contract in now:
        kept = next((one for one in snapshots if _is_of(one, contract)), None)
        if kept is None:
            found.append(contract.snapshot())
        elif kept.schema != contract.schema:
            found.append(kept.renewed(contract.schema))
    return found


def _judged(contract: Described, snapshots: Sequence[Snapshot]) -> Iterator[Judgement]:
    word = "job" if contract.part is Part.ARGS else "event"
    for newer in (one for one in snapshots if one.version > contract.version):
        yield Judgement(
            contract.name,
            f"{word} {contract.name} is version {contract.version}, and {newer.file} says that version {newer.version} "
            "was deployed: nothing makes an earlier version of a later one",
            f"raise the class to version={newer.version + 1} with upcasters, or delete the snapshot if it never ran",
            refused=True,
            lane=contract.lane,
        )
    current = [one for one in snapshots if one.version == contract.version]
    for kept in current:
        yield from _compared(contract, kept, word)
    if not any(_is_of(one, contract) for one in current):
        problem = f"{word} {contract.name} version {contract.version} has no schema snapshot"
        yield Judgement(contract.name, problem, WRITE, refused=False, lane=contract.lane)


def _compared(contract: Described, kept: Snapshot, word: str) -> Iterator[Judgement]:
    changes = kept.changes(contract.schema)
    version = contract.version
    what = f"{word} {contract.name} version {version}"
    if breaking := [str(change) for change in changes if change.breaking]:
        fix = (
            f"class {_CLASS[contract.part]}, version={version + 1}) with a static method "
            f"@upcasts({version}) that makes version {version + 1} of version {version}; or take the change back; or, "
            f"if version {version} was never deployed, delete {kept.file}"
        )
        yield Judgement(contract.name, f"{what}: {'; '.join(breaking)}", fix, refused=True, lane=contract.lane)
    elif kept.schema != contract.schema and _is_of(kept, contract):
        said = "; ".join(str(change) for change in changes) or "is written otherwise"
        yield Judgement(contract.name, f"{what} breaks nothing, but {said}", WRITE, refused=False, lane=contract.lane)


def _orphans(now: Sequence[Described], snapshots: Sequence[Snapshot]) -> Iterator[Judgement]:
    for kept in snapshots:
        if not any(kept.part is one.part and kept.name in (one.name, *one.former) for one in now):
            word, rest = ("job", "wait or are dead") if kept.part is Part.ARGS else ("event", "are stored")
            alias = f" add aliases=({kept.name!r},) to the job that takes its place;" * (kept.part is Part.ARGS)
            yield Judgement(
                kept.name,
                f"{word} {kept.name} is gone, and {kept.file} says that it was deployed: those that {rest} are lost",
                f"put it back;{alias} or delete the snapshot once there is none of it left",
                refused=True,
            )


def _of(contract: Described, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    names = (contract.name, *contract.former)
    return [one for one in snapshots if one.part is contract.part and one.name in names]


def _is_of(kept: Snapshot, contract: Described) -> bool:
    return (kept.part, kept.name, kept.version) == (contract.part, contract.name, contract.version)


def _described(
    part: Part, name: str, contract: type[Contract], former: tuple[str, ...] = (), lane: str | None = None
) -> Described:
    return Described(part, name, contract.contract_version, schema_of(contract), former, lane)


_CLASS: Final[dict[Part, Any]] = {
    Part.ARGS: f"...({JobArgs.__name__}, kind=...",
    Part.EVENT: f"...({Event.__name__}, type=...",
}
