"""From the options of `tidemill dlq redrive` to one of its three ways: some ids, a filter, whole DLQs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.cli.dlq_options import filter_of
from tidemill.cli.redriving import Redriving, confirm
from tidemill.cli.redriving_lanes import RedrivingLanes
from tidemill.domain import limits
from tidemill.service.manner import RESUME, Manner

if TYPE_CHECKING:
    from tidemill.domain.job import Job, JobRef
    from tidemill.entrypoints.bootstrap import Program
    from tidemill.service.bulk import Care
    from tidemill.service.dead_filter import Filter
    from tidemill.service.redriving import NotRedriven


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for. `parts` are the filter's options as typed."""

    refs: tuple[JobRef, ...]
    parts: dict[str, str | None]
    limit: int | None
    manner: Manner
    care: Care


def carry_out(program: Program, choice: Choice, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Do it, or say what it would do.

    Raises:
        InputError: an option is bad; it is named.
        NothingMatchedError: the filter matches nothing.
        TidemillError: see Redriving.run.
    """
    if choice.refs:
        _by_id(program, choice, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    wanted = filter_of(choice.parts, program.clock.now_ms(), program.desk.lanes)
    if wanted.is_whole_lane and choice.manner == RESUME and choice.limit is None:
        lanes = program.desk.lanes if wanted.lane is None else (wanted.lane,)
        _whole(RedrivingLanes(program.desk, lanes, as_json), choice.care, dry_run=dry_run, yes=yes)
        return
    jobs, is_all = program.desk.inspection.choose(wanted, choice.limit or limits.MAX_BULK_JOBS)
    _jobs(program, choice, jobs, (), wanted, more=not is_all, dry_run=dry_run, yes=yes, as_json=as_json)


def _by_id(program: Program, choice: Choice, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    jobs, failed = Redriving(program.desk, choice.manner, as_json).find(choice.refs)
    # One job named by its id is no accident, unless its effects would happen again.
    sure = yes or (len(set(choice.refs)) == 1 and choice.manner == RESUME)
    _jobs(program, choice, jobs, tuple(failed), None, more=False, dry_run=dry_run, yes=sure, as_json=as_json)


def _jobs(  # noqa: PLR0913 - the options as they are
    program: Program,
    choice: Choice,
    jobs: list[Job],
    failed: tuple[NotRedriven, ...],
    wanted: Filter | None,
    *,
    more: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    redriving = Redriving(program.desk, choice.manner, as_json)
    if jobs and dry_run:
        redriving.foresee(jobs, more=more)
        return
    if jobs:
        confirm(redriving.question(jobs), yes=yes, as_json=as_json)
    redriving.run(jobs, choice.care, wanted, failed, more=more)


def _whole(redriving: RedrivingLanes, care: Care, *, dry_run: bool, yes: bool) -> None:
    waiting = redriving.waiting()
    if dry_run:
        redriving.foresee(waiting)
        return
    what = f"about {waiting} messages of {', '.join(redriving.lanes)}"
    confirm(what, yes=yes, as_json=redriving.as_json)
    redriving.run(care, waiting)
