"""A saga as a picture: its steps, and the way back."""

from __future__ import annotations

from tidemill.domain.saga.declaring import Branches, Step
from tidemill.domain.saga.saga import Saga


def mermaid(saga: Saga) -> str:
    """A Mermaid flow chart: forward in solid lines, back in dotted ones."""
    lines = ["flowchart TD", "    begin([begin])", "    done([done])"]
    last = ["begin"]
    for part in saga.steps:
        branches = part.branches if isinstance(part, Branches) else ((part,),)
        ends: list[str] = []
        for branch in branches:
            before = last
            for one in branch:
                lines += _step(one)
                lines += [f"    {source} --> {one.name}" for source in before]
                before = [one.name]
            ends += before
        last = ends
    lines += [f"    {source} --> done" for source in last]
    return "\n".join([*lines, *_way_back(saga)])


def _step(one: Step) -> list[str]:
    label = f"{one.name}<br/>{one.job.kind}"
    if one.when is not None:
        label += "<br/>on a condition"
    return [f'    {one.name}{{{{"{label}<br/>pivot"}}}}' if one.pivot else f'    {one.name}["{label}"]']


def _way_back(saga: Saga) -> list[str]:
    undone = [one for one in saga if one.compensate is not None]
    if not undone:
        return []
    lines = ["    compensated([compensated])"]
    before = ""
    for one in reversed(undone):
        assert one.compensate is not None  # noqa: S101 - chosen so
        lines.append(f'    undo_{one.name}["undo {one.name}<br/>{one.compensate.job.kind}"]')
        lines.append(f"    {one.name} -. fails .-> undo_{one.name}")
        if before:
            lines.append(f"    {before} -.-> undo_{one.name}")
        before = f"undo_{one.name}"
    return [*lines, f"    {before} -.-> compensated"]
