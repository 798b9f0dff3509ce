"""What a worker owes sagas: their state machines are told how each of their jobs ended.

A state machine waits for a token, which comes with the plain message that asks for the job. The token is kept before
the job is looked for, and read after the job is recorded as over: whichever of the two comes last sees the other, so
that no token is left waiting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidemill.domain import limits
from tidemill.domain.closing import SAGA_OVER
from tidemill.domain.errand import Awaited, saga_job_id
from tidemill.domain.errors import IntegrityError, JobStateError, PayloadGoneError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Clock, JobReader, Payloads, Report, TaskReports, TaskTokens, Telemetry
from tidemill.domain.saga.words import Role
from tidemill.domain.settle import ACK, UNASKED, Settlement
from tidemill.service import told
from tidemill.service.obligations import Met


@dataclass(frozen=True, slots=True)
class Errands:
    """Reports the ends of jobs to the sagas that wait for them."""

    reader: JobReader
    payloads: Payloads
    tokens: TaskTokens
    reports: TaskReports
    clock: Clock
    telemetry: Telemetry | None = None

    def fulfil(self, met: Sequence[Met]) -> list[bool]:
        """See Obligation."""
        mine = [i for i, one in enumerate(met) if one.over is not None and one.envelope.errand is not None]
        over = [job for i in mine if (job := met[i].over) is not None]
        done = [True] * len(met)
        for i, reported in zip(mine, self.tell(over), strict=True):
            done[i] = reported
        return done

    def tell(self, jobs: Sequence[Job]) -> list[bool]:
        """Report each of these jobs, which are over, to whoever waits; whether nothing is left of it."""
        if not jobs:
            return []
        try:
            awaited = self.tokens.find([job.ref for job in jobs])
        except UnavailableError:
            return [False] * len(jobs)
        found = zip(awaited, jobs, strict=True)
        try:
            over = [None if one is None else (one, self._as_told(one, job)) for one, job in found]
        except UnavailableError:
            return [False] * len(jobs)
        return self._report(over)

    def expect(self, wanted: Sequence[Awaited]) -> list[Settlement | None]:
        """Keep the tokens of plain messages; for each its settlement, None if its job is still to be submitted."""
        kept = self.tokens.keep(wanted, self._until_s())
        found = self._find([one.ref for one in wanted])
        settled: list[Settlement | None] = [None] * len(wanted)
        for i, (error, job) in enumerate(zip(kept, found, strict=True)):
            if error is not None or isinstance(job, UnavailableError):
                settled[i] = UNASKED
            elif job is not None:
                # Its end is reported by whoever meets it from now on, under this token too.
                settled[i] = ACK
        over = [i for i, job in enumerate(found) if isinstance(job, Job) and job.state.is_final and settled[i] is ACK]
        try:
            known = [(wanted[i], self._as_it_stands(wanted[i], job)) for i in over if isinstance(job := found[i], Job)]
        except UnavailableError:
            return [UNASKED if i in over else one for i, one in enumerate(settled)]
        for i, reported in zip(over, self._report(known), strict=True):
            settled[i] = ACK if reported else UNASKED
        return settled

    def refuse(self, awaited: Awaited, code: str, record: JobRef) -> bool:
        """Report a message that can't become a job; whether it is reported.

        What a saga can't do without is not reported but mended: its `record` is noted, so that the saga's view leads
        to it.
        """
        if awaited.errand.waits:
            self._call_a_person(awaited, code)
            return self.tokens.keep([replace(awaited, refused=record.id)], self._until_s()) == [None]
        report = told.refused(awaited.errand, code)
        return not any(self.reports.report(told.to_each(awaited, report)))

    def result_of(self, job: Job) -> Any:
        """What a job that succeeded returned, parsed.

        Raises:
            PayloadGoneError, IntegrityError: it was large, and is gone or damaged.
            UnavailableError: AWS did not answer.
        """
        found = self.reader.result_of(job)
        text = self.payloads.get(job.ref, found).decode() if isinstance(found, Stored) else found
        return None if text is None else json.loads(text)

    def check_dispensable(self, job: Job) -> None:
        """Refuse to let somebody end a job that its saga can't do without: it would wait for a person for ever.

        Raises:
            JobStateError: it is such a job, and not over.
            UnavailableError: AWS did not answer.
        """
        (awaited,) = self.tokens.find([job.ref])
        if awaited is not None and awaited.errand.waits and not job.state.is_final:
            fix = f"saga {awaited.errand.saga} can't do without it; mend what keeps it from ending well"
            raise JobStateError("cancelled", job.ref.id, job.state, fix)

    def refused(self, refs: Sequence[JobRef]) -> list[JobRef | None]:
        """Whose records say why the message that asked for each of these jobs could not become it.

        Raises:
            UnavailableError: AWS did not answer.
        """
        found = self.tokens.find(refs) if refs else []
        return [None if one is None or one.refused is None else replace(one.ref, id=one.refused) for one in found]

    # --- inside -----------------------------------------------------------------------------------

    def _until_s(self) -> int:
        return self.clock.now_ms() // 1000 + int((limits.SAGA_PATIENCE + limits.STATE_HORIZON).total_seconds())

    def _as_told(self, awaited: Awaited, job: Job) -> Job:
        # Only a state machine that asked more than once may have been run again: the others cost no read.
        return self._as_it_stands(awaited, job) if len(awaited.tokens) > 1 else job

    def _as_it_stands(self, awaited: Awaited, job: Job) -> Job:
        """A step that succeeded and is undone, or will be, did not: a machine that runs again turns back too."""
        errand = awaited.errand
        if errand.role is not Role.STEP or job.state is not State.SUCCEEDED:
            return job
        (undo,) = self.reader.find([replace(job.ref, id=saga_job_id(errand.saga, errand.step, Role.UNDO))])
        return job if undo is None else replace(job, state=State.CANCELLED, reason=SAGA_OVER)

    def _find(self, refs: Sequence[JobRef]) -> Sequence[Job | UnavailableError | None]:
        try:
            return self.reader.find(refs)
        except UnavailableError as error:
            return [error] * len(refs)

    def _report(self, over: Sequence[tuple[Awaited, Job] | None]) -> list[bool]:
        done = [True] * len(over)
        reports: list[tuple[int, Report]] = []
        for i, one in enumerate(over):
            if one is None:
                continue
            try:
                if (report := self._report_of(*one)) is not None:
                    reports += [(i, one_of) for one_of in told.to_each(one[0], report)]
            except UnavailableError:
                done[i] = False
        answers = self.reports.report([report for _, report in reports]) if reports else []
        for (i, _), error in zip(reports, answers, strict=True):
            done[i] = done[i] and error is None
        return done

    def _report_of(self, awaited: Awaited, job: Job) -> Report | None:
        if told.needs_a_person(awaited, job):
            self._call_a_person(awaited, job.reason)
            return None
        if job.state is not State.SUCCEEDED:
            return told.failed(awaited, job, job.reason)
        if awaited.errand.role is Role.CLOSE:
            return self._closed(awaited, job)
        try:
            return told.succeeded(awaited, job, self.result_of(job) if awaited.errand.returns else None)
        except (PayloadGoneError, IntegrityError) as error:
            return told.failed(awaited, job, error.code)

    def _closed(self, awaited: Awaited, job: Job) -> Report:
        (step,) = self.reader.find([replace(job.ref, id=awaited.errand.step_job_id())])
        succeeded = step is not None and step.state is State.SUCCEEDED
        try:
            return told.closed(awaited, step, self.result_of(step) if succeeded and step is not None else None)
        except (PayloadGoneError, IntegrityError) as error:
            return told.failed(awaited, job, error.code)

    def _call_a_person(self, awaited: Awaited, reason: str | None) -> None:
        errand = awaited.errand
        if self.telemetry is None:
            return
        self.telemetry.count("SagasNeedAttention")
        self.telemetry.alert(
            "saga_needs_attention",
            saga=errand.name,
            saga_id=errand.saga,
            step=errand.step,
            role=errand.role.value,
            job_id=awaited.ref.id,
            tenant=awaited.ref.tenant,
            reason=reason,
        )
