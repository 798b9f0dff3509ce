"""Looking at what is dead: lists, groups, one job, and what running it again would mean. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from tidemill.domain import limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import JobNotFoundError, JobStateError, NothingMatchedError, PayloadGoneError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory
from tidemill.domain.ports import AttemptFailure, Clock, JobReader, Page
from tidemill.service.dead_filter import Filter, dead_jobs, every_dead_job
from tidemill.service.editing import Edit, Editor
from tidemill.service.grouping import Group, grouped
from tidemill.service.manner import RESUME, Effects, Manner, effects_of
from tidemill.service.redrivable import check_redrivable
from tidemill.service.refusal import is_refusal

# Each takes a read of its own, and nobody reads more of them.
_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A dead job as the desk shows it.

    Attributes:
        args: its canonical argument bytes, None where nothing stores them. `version`: which version of its kind's
            arguments they are, None where that is not stored either.
    """

    job: Job
    failures: list[AttemptFailure]
    args: bytes | None
    memory: Memory | None
    version: int | None = None

    def effects(self, manner: Manner) -> Effects:
        """What running again in this manner means; see `effects_of`."""
        return effects_of(self.memory, manner)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Reads for the DLQ desk.

    Arguments:
        recall: what a job remembers.
    """

    reader: JobReader
    editor: Editor
    recall: Callable[[JobRef], Memory | None]
    lanes: tuple[str, ...]
    clock: Clock

    def page(self, wanted: Filter, limit: int, cursor: str | None = None) -> Page:
        """One page of dead jobs, earliest death first in each shard of the index. It may be short, or empty.

        Raises:
            InputError: a part of the filter, the limit or the cursor is bad; it is named.
        """
        return dead_jobs(self.reader, wanted.checked(self.lanes), limit, cursor, self.clock.now_ms())

    def groups(self, wanted: Filter, most: int = limits.MAX_BULK_JOBS) -> tuple[list[Group], bool]:
        """The dead jobs by what killed them, largest group first, and whether these are all of them.

        The hundred largest say what their last failure said.

        Arguments:
            most: how many jobs are looked at.

        Raises:
            InputError: a part of the filter is bad; it is named.
        """
        jobs, is_all = self._first(wanted, most)
        groups = grouped(jobs)
        told = [replace(group, message=self._message(group)) for group in groups[:_TOLD]]
        return [*told, *groups[_TOLD:]], is_all

    def show(self, ref: JobRef) -> DeadJob:
        """All about one dead job.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it is not dead.
            IntegrityError: its stored arguments are damaged.
        """
        job = self.dead(ref, "shown as dead", "look it up as any other job")
        if job.is_gone(self.clock.now_ms()):
            raise JobNotFoundError(ref.tenant, ref.id)
        envelope = self.reader.envelope_of(job)
        try:
            args = None if envelope is None else self.editor.args_of(envelope)
        except PayloadGoneError:
            args = None
        version = None if envelope is None else envelope.version
        return DeadJob(job, self.reader.failures_of(ref), args, self.recall(ref), version)

    def choose(self, wanted: Filter, most: int = limits.MAX_BULK_JOBS) -> tuple[list[Job], bool]:
        """The dead jobs that a filter means, at most `most`, and whether these are all of them.

        Raises:
            InputError: a part of the filter is bad; it is named.
            NothingMatchedError: there are none.
        """
        jobs, is_all = self._first(wanted, most)
        if not jobs:
            raise NothingMatchedError("dead job", str(wanted))
        return jobs, is_all

    def chosen_page(self, wanted: Filter, limit: int, cursor: str | None) -> tuple[list[Job], str | None]:
        """Some of the dead jobs that a filter means, and the cursor of the next ones (None: there are no more).

        Raises:
            InputError: a part of the filter, the limit or the cursor is bad; it is named.
            NothingMatchedError: there are none, here and after.
        """
        page = self.page(wanted, limit, cursor)
        if not page.jobs and page.cursor is None:
            raise NothingMatchedError("dead job", str(wanted))
        return list(page.jobs), page.cursor

    def foresee(self, job: Job, manner: Manner) -> Effects:
        """Which of a dead job's finished steps would happen again, and which would not. Changes nothing.

        Raises:
            InputError: it remembers no such step.
            JobStateError: it can't run again; see `check_redrivable`.
        """
        check_redrivable(job, self.lanes.__contains__)
        return effects_of(self.recall(job.ref), manner)

    def foresee_edit(self, ref: JobRef, edit: Edit, manner: Manner = RESUME) -> tuple[bytes, Effects]:
        """The arguments that a dead job would run with, and which steps would happen again. Changes nothing.

        Raises:
            JobNotFoundError, JobStateError, InputError: see `edit`.
        """
        job = self.dead(ref, "edited", "only dead jobs are edited")
        _, canonical = self.edited(job, edit)
        return canonical, self.foresee(job, manner)

    def dead(self, ref: JobRef, verb: str = "redriven", fix: str = "only dead jobs are redriven") -> Job:
        """The record of a dead job.

        Raises:
            JobNotFoundError: there is no such job.
            JobStateError: it is not dead; the message has `verb` and `fix`.
        """
        job = self.reader.find([ref])[0]
        if job is None:
            raise JobNotFoundError(ref.tenant, ref.id)
        if job.state is not State.DEAD:
            raise JobStateError(verb, ref.id, job.state, fix)
        return job

    def edited(self, job: Job, edit: Edit) -> tuple[Envelope, bytes]:
        """A dead job's envelope, and the argument bytes that an edit makes of its own.

        Raises:
            JobStateError: nothing stores its envelope.
            InputError: the edited arguments don't fit.
        """
        envelope = self.reader.envelope_of(job)
        if envelope is None:
            fix = "its arguments are not stored; submit a new job"
            if is_refusal(job):
                fix = "it is a message that was refused, and no job; submit what it should have said"
            raise JobStateError("edited", job.ref.id, job.state, fix)
        return envelope, self.editor.canonical(envelope, edit)

    def _first(self, wanted: Filter, most: int) -> tuple[list[Job], bool]:
        found: Iterator[Job] = every_dead_job(self.reader, wanted.checked(self.lanes), self.clock.now_ms())
        jobs = list(islice(found, most))
        return jobs, next(found, None) is None

    def _message(self, group: Group) -> str:
        failures = self.reader.failures_of(group.sample)
        return failures[-1].failure.message if failures else ""
