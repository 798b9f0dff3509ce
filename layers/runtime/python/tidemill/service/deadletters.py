"""The DLQ desk: what is dead, why, and how it runs again.

Whatever looks or acts does so for one tenant if the filter or the job names one, and for all if it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tidemill.domain import limits
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.errors import InputError, NothingMatchedError
from tidemill.domain.job import Job, JobRef, day_of
from tidemill.domain.memory import Memory
from tidemill.domain.ports import AuditPage, AuditTrail, Clock, DeadLetterQueue, JobQueue, JobReader, JobStore, Payloads
from tidemill.domain.registry import JobRegistry
from tidemill.service.auditing import Auditor
from tidemill.service.bulk import Bulk, Care, Event, JobEvent
from tidemill.service.canary import Bird, CanaryEnded, look
from tidemill.service.dead_filter import Filter
from tidemill.service.editing import Edit, Editor
from tidemill.service.inspection import Inspection
from tidemill.service.listing import check_day
from tidemill.service.manner import RESUME, Manner
from tidemill.service.pacing import Pace
from tidemill.service.purging import Purgeable, Purging
from tidemill.service.redriving import SEARCH, NotRedriven, Redriven, Redriving, Terms
from tidemill.service.resending import Resending


@dataclass(frozen=True, slots=True)
class Tools:
    """What the desk works with beside the queues and the table.

    Arguments:
        registry: the kinds whose arguments can be edited.
        recall: what a job remembers.
        actor: tells who acts, for the audit trail.
        sleep: waits so many seconds.
    """

    registry: JobRegistry
    payloads: Payloads
    recall: Callable[[JobRef], Memory | None]
    trail: AuditTrail
    actor: Callable[[], str]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Purged:
    """Messages that are gone for good, with the records of their jobs, which stay."""

    lane: str
    jobs: list[Job]


@dataclass(frozen=True, slots=True)
class DeadLetterDesk:
    """Looks after the DLQs of all lanes."""

    store: JobStore
    reader: JobReader
    queue: JobQueue
    dead_letters: DeadLetterQueue
    lanes: tuple[str, ...]
    clock: Clock
    random: Random
    tools: Tools

    def acting_as(self, actor: str) -> DeadLetterDesk:
        """The same desk, whose actions are `actor`'s in the audit trail."""
        return replace(self, tools=replace(self.tools, actor=lambda: actor))

    # --- looking ---------------------------------------------------------------------------------

    def depths(self) -> Mapping[str, int]:
        """About how many messages each lane's DLQ holds."""
        return {lane: self.dead_letters.depth(lane) for lane in self.lanes}

    @property
    def inspection(self) -> Inspection:
        """Looks at what is dead."""
        return Inspection(self.reader, self._editor, self.tools.recall, self.lanes, self.clock)

    def purgeable(self, wanted: Filter, search: int = SEARCH) -> list[Purgeable]:
        """What a purge would delete, lane by lane, of the first `search` messages of each DLQ. Changes nothing.

        Raises:
            InputError: a part of the filter is bad; it is named.
            NothingMatchedError: nothing.
        """
        lanes = self.lanes if wanted.checked(self.lanes).lane is None else (wanted.lane,)
        found = [self._purging.look(lane, wanted, search) for lane in lanes if lane is not None]
        if not any(lane.messages for lane in found):
            raise NothingMatchedError("message of a job that is over", str(wanted))
        return found

    def trail(
        self, day: str | None = None, limit: int = 50, cursor: str | None = None, tenant: str | None = None
    ) -> AuditPage:
        """What was done at the desk on one UTC day (`2026-11-22`; today if left out), newest first.

        Arguments:
            tenant: only what was done with this tenant's jobs alone; a page may be short, or empty, then.

        Raises:
            InputError: the day, the limit or the cursor is bad; it is named.
        """
        if not 1 <= limit <= limits.MAX_PAGE:
            raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
        page = self.tools.trail.read(check_day(day or day_of(self.clock.now_ms())), limit, cursor)
        if tenant is None:
            return page
        return replace(page, entries=tuple(entry for entry in page.entries if entry.tenant == tenant))

    # --- acting ----------------------------------------------------------------------------------

    def redrive(self, ref: JobRef, manner: Manner = RESUME) -> Redriven:
        """Let one dead job run again as its next generation.

        To resume, its message goes back from the DLQ to the lane byte for byte, as the console's redrive does; if
        it is no longer there, the job is sent from the table. In any other manner it is sent from the table, and
        its old message is deleted.

        Raises:
            JobNotFoundError: there is no such job.
            JobStateError: it is not dead, or neither queue nor table has its arguments.
            InputError: it remembers no step of the name that the manner gives.
            PayloadGoneError: its large arguments are past their retention.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        job = self.inspection.dead(ref)
        self.inspection.foresee(job, manner)
        with self.audit.action("redrive", ref.tenant, manner=str(manner), jobs=[ref]) as tally:
            tally.add("asked", ref)
            done = self._redriving.one(job, manner)
            tally.add("redriven")
        return done

    def edit(self, ref: JobRef, edit: Edit, manner: Manner = RESUME) -> Redriven:
        """Let one dead job run again with other arguments, which its kind's model has to accept.

        The record has the new arguments' fingerprint from then on: its key belongs to them, and every copy of the
        old message does nothing. Steps that are kept were done with the old arguments.

        Raises:
            JobNotFoundError: there is no such job.
            JobStateError: it is not dead, or nothing stores its arguments.
            UnknownKindError: this program does not know its kind.
            InvalidArgsError, InputError: the arguments don't fit, each field is named; or see `redrive`.
            UnavailableError: AWS did not answer; the call may be repeated.

        After an error other than UnavailableError, nothing was changed.
        """
        job = self.inspection.dead(ref, "edited", "only dead jobs are edited")
        envelope, canonical = self.inspection.edited(job, edit)
        self.inspection.foresee(job, manner)
        chosen = {"fingerprint": fingerprint_of(canonical), "before": job.fingerprint}
        with self.audit.action("edit", ref.tenant, chosen, str(manner), [ref]) as tally:
            tally.add("asked", ref)
            done = self._redriving.edited(job, self._editor.edited(envelope, canonical), manner)
            tally.add("redriven")
        return done

    def redrive_all(
        self,
        jobs: Sequence[Job],
        manner: Manner = RESUME,
        care: Care = Care(),  # noqa: B008 - frozen
        *,
        chosen: Filter | None = None,
        has_time: Callable[[float], bool] | None = None,
        search: int = SEARCH,
    ) -> Iterator[JobEvent]:
        """Let these dead jobs run again; yields what became of each, and how the canary fared.

        Nothing happens before the first is asked for. It ends after a canary that did not pass, and when
        `has_time` says no.

        Arguments:
            chosen: the filter that chose them, for the audit trail.
            has_time: asked before each step whether so many seconds may go by first. With it, this is taken for one
                call of several, which keep the rate together.
            search: how many messages of one DLQ are looked through for them.

        Raises:
            InputError: a canary is asked for, and none of them can be watched; nothing was done.
            UnavailableError: the audit trail can't be written; nothing was done.
        """
        return self._bulk.jobs(jobs, manner, care, chosen, self._terms(care, has_time, search))

    def redrive_canary(
        self,
        jobs: Sequence[Job],
        manner: Manner,
        care: Care,
        *,
        chosen: Filter | None,
        has_time: Callable[[float], bool],
        search: int,
    ) -> Iterator[Redriven | NotRedriven]:
        """Let the canary of these dead jobs run again, and none of the others; nobody waits for it. See `redrive_all`.

        `canary_of` says how it fares.
        """
        return self._bulk.canary(jobs, manner, care, chosen, self._terms(care, has_time, search))

    def canary_of(self, birds: Sequence[Bird]) -> CanaryEnded:
        """How a canary fared so far.

        Raises:
            UnavailableError: AWS did not answer.
        """
        return look(self.reader, birds)

    def redrive_lanes(self, lanes: Sequence[str], care: Care = Care()) -> Iterator[Event]:  # noqa: B008 - frozen
        """Put all that is in the DLQs of these lanes back byte for byte; yields what was done, step by step.

        SQS does it by itself where it can (StartMessageMoveTask); it goes on after this has ended. Messages whose
        death no record tells yet are put back too. Dead jobs whose message SQS no longer keeps stay dead: redrive
        those by a filter.

        A canary is chosen in each lane among the first messages of its DLQ.

        Raises:
            InputError: there is no such lane; or a canary is asked for, and a lane has no message whose job could be
                watched.
            NothingMatchedError: the DLQs are empty.
            UnavailableError: AWS did not answer, or SQS is already moving messages of that DLQ.
        """
        for lane in lanes:
            Filter(lane=lane).checked(self.lanes)
        return self._bulk.lanes(lanes, care)

    def purge(self, found: Sequence[Purgeable], wanted: Filter, search: int = SEARCH) -> Iterator[Purged]:
        """Delete what `purgeable` found, for good; yields lane by lane what is gone.

        The records stay, with reason, errors and arguments, as long as their retention says: a dead job can still
        be redriven from the table. A plain message that was refused can't.

        Raises:
            UnavailableError: AWS did not answer; what was deleted before is gone.
        """
        meant = [job.ref for lane in found for job in lane.messages.values()]
        with self.audit.action("purge", wanted.tenant, wanted.parts(), jobs=meant) as tally:
            tally.add("asked", count=len(meant))
            for lane in found:
                jobs = self._purging.purge(lane, search) if lane.messages else []
                for job in jobs:
                    tally.add("purged", job.ref)
                yield Purged(lane.lane, jobs)

    # --- parts -----------------------------------------------------------------------------------

    @property
    def audit(self) -> Auditor:
        """Writes down what is done here, and by whom."""
        return Auditor(self.tools.trail, self.clock, self.random, self.tools.actor)

    @property
    def _editor(self) -> Editor:
        return Editor(self.tools.registry, self.tools.payloads)

    @property
    def _purging(self) -> Purging:
        return Purging(self.reader, self.dead_letters)

    @property
    def _bulk(self) -> Bulk:
        return Bulk(self._redriving, self.reader, self.dead_letters, self.audit, self.clock, self.tools.sleep)

    def _terms(self, care: Care, has_time: Callable[[float], bool] | None, search: int) -> Terms:
        pace = Pace(care.rate, self.clock, self.tools.sleep)
        return Terms(search, pace) if has_time is None else Terms(search, pace.after_another(), has_time)

    @property
    def _redriving(self) -> Redriving:
        resending = Resending(self.store, self.queue, self.clock, self.random)
        return Redriving(self.reader, self.dead_letters, self.tools.payloads, resending, self.tools.recall)
