"""Redriving many dead jobs over HTTP: some ids, or what a filter means; slowly, and after a canary, if asked.

A request has bounded time and the API remembers nothing. So a canary takes two calls: the first redrives it alone and
names it, and the second, which names it again, goes on only if all of it has ended well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, TidemillError, Violation
from tidemill.domain.job import Job, JobRef
from tidemill.entrypoints.http_dlq_models import RedrivesRequest, read_request
from tidemill.entrypoints.http_dlq_reach import Reach
from tidemill.entrypoints.http_problems import CanaryFailedError, CanaryPendingError, problem_document
from tidemill.service.bulk import Care, JobEvent, birds_of
from tidemill.service.canary import Bird
from tidemill.service.dead_filter import Filter
from tidemill.service.dead_view import effects_view
from tidemill.service.manner import Manner, manner_of
from tidemill.service.pacing import check_rate
from tidemill.service.redriving import NotRedriven, Redriven

# A walk through so many messages of one DLQ takes about three seconds, at 15 ms for ten.
HTTP_SEARCH: Final = 2_000
# The gateway gives up after 29 seconds; what was begun last takes its walk and a few calls.
HTTP_TIME_MS: Final = 15_000
# A canary is redriven by one call, walks and all.
MOST_FLIGHT_MS: Final = 10_000
# Each call first waits out one step of the call before it, and has to have time for one of its own.
LEAST_RATE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which jobs: those that are dead, what stands against others that were named, and where to go on."""

    jobs: list[Job]
    failed: list[dict[str, Any]]
    by: Filter
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ManyRedrives:
    """Answers one caller's `POST /dlq/redrive`."""

    reach: Reach

    def answer(self, document: object) -> dict[str, Any]:
        """Do it, or say what it would do.

        Raises:
            InputError: a field is bad, or two don't fit each other; nothing was changed.
            NothingMatchedError: the filter means nothing.
            CanaryPendingError, CanaryFailedError: the canary that it names has not ended, or not well; nothing was
                changed.
        """
        asked = read_request(RedrivesRequest, document)
        _check_together(asked)
        manner, care = manner_of(asked.mode, asked.from_step), self._care(asked)
        chosen = self._chosen(asked, {bird.ref for bird in care.after})
        self._check_canary(care.after)
        if asked.dry_run:
            return self._foreseen(chosen, manner)
        until = self.reach.desk.clock.now_ms() + HTTP_TIME_MS

        def has_time(wait_s: float) -> bool:
            return self.reach.desk.clock.now_ms() + wait_s * 1000 < until

        redrive = self.reach.desk.redrive_canary if care.canary else self.reach.desk.redrive_all
        events = redrive(chosen.jobs, manner, care, chosen=chosen.by, has_time=has_time, search=HTTP_SEARCH)
        return self._told(chosen, events, care)

    def _care(self, asked: RedrivesRequest) -> Care:
        rate, canary = check_rate(asked.rate, LEAST_RATE), asked.canary or 0
        if rate is not None and canary * 1000 / rate > MOST_FLIGHT_MS:
            problem = f"takes longer than {MOST_FLIGHT_MS // 1000} s at that rate; ask for fewer"
            raise InputError.at("canary", problem, "range")
        after = tuple(
            Bird(self.reach.ref(asked.tenant, bird.id, f"after.{index}.id"), bird.generation, bird.redriven)
            for index, bird in enumerate(asked.after or ())
        )
        return Care(rate, canary, after=after)

    def _chosen(self, asked: RedrivesRequest, flown: set[JobRef]) -> Chosen:
        inspection = self.reach.desk.inspection
        wanted = self.reach.filter_in(asked.filter, asked.tenant)
        if asked.ids is None:
            jobs, cursor = inspection.chosen_page(wanted, asked.limit, asked.cursor)
            return Chosen([job for job in jobs if job.ref not in flown], [], wanted, cursor)
        refs = [self.reach.ref(asked.tenant, job_id, f"ids.{index}") for index, job_id in enumerate(asked.ids)]
        chosen = Chosen([], [], wanted)
        for ref in dict.fromkeys(refs):
            if ref in flown:
                continue
            try:
                chosen.jobs.append(inspection.dead(ref))
            except (JobNotFoundError, JobStateError) as error:
                chosen.failed.append(_failed(ref, error))
        return chosen

    def _check_canary(self, birds: Sequence[Bird]) -> None:
        ended = self.reach.desk.canary_of(birds)
        if ended.has_failed:
            died, unflown = _named(birds, ended.died, "died"), _named(birds, ended.unflown, "not_redriven")
            raise CanaryFailedError(*died, *unflown)
        if not ended.passed:
            raise CanaryPendingError(*_named(birds, ended.unended, "unended"))

    def _told(self, chosen: Chosen, events: Iterable[JobEvent], care: Care) -> dict[str, Any]:
        redriven, failed = [], list(chosen.failed)
        for event in events:
            if isinstance(event, Redriven):
                redriven.append({"id": event.ref.id, "via": event.via, "link": self.reach.link(event.ref)})
            elif isinstance(event, NotRedriven):
                failed.append(_failed(event.ref, event.error))
        answer = redrives(redriven=redriven, failed=failed, cursor=chosen.cursor)
        flown = {entry["id"] for entry in redriven}
        if care.canary:
            birds = [Bird.of(job, flew=job.ref.id in flown) for job in birds_of(chosen.jobs, care.canary)]
            canary = [{"id": one.ref.id, "generation": one.generation, "redriven": one.flew} for one in birds]
            return {**answer, "canary": canary, "cursor": None}
        known = flown | {entry["id"] for entry in failed}
        return {**answer, "left": [job.ref.id for job in chosen.jobs if job.ref.id not in known]}

    def _foreseen(self, chosen: Chosen, manner: Manner) -> dict[str, Any]:
        foreseen, failed = [], list(chosen.failed)
        for job in chosen.jobs:
            try:
                effects = effects_view(self.reach.desk.inspection.foresee(job, manner))
            except (InputError, JobStateError) as error:
                failed.append(_failed(job.ref, error))
            else:
                foreseen.append({"id": job.ref.id, **effects, "link": self.reach.link(job.ref)})
        return redrives(dry_run=True, failed=failed, foreseen=foreseen, cursor=chosen.cursor)


# What became of a job of the canary, in words.
_FATES: Final = {"died": "died again", "not_redriven": "was not redriven", "unended": "has not ended yet"}


def redrives(**members: Any) -> dict[str, Any]:
    """An answer with these members; the others are empty."""
    empty: dict[str, Any] = {name: [] for name in ("redriven", "failed", "foreseen", "left", "canary")}
    return {"dry_run": False, **empty, "cursor": None, **members}


def _check_together(asked: RedrivesRequest) -> None:
    """Refuse what does not fit each other."""
    given = asked.model_fields_set
    if asked.ids is not None and given & {"filter", "limit", "cursor"}:
        raise InputError.at("ids", "are all: leave out filter, limit and cursor", "extra")
    if asked.canary is not None and asked.cursor is not None:
        raise InputError.at("canary", "is the first of all: leave out cursor", "extra")
    if asked.canary is not None and asked.after is not None:
        raise InputError.at("after", "names a canary that flew; leave out canary", "extra")


def _named(birds: Sequence[Bird], refs: Sequence[JobRef], fate: str) -> list[Violation]:
    at = {bird.ref: index for index, bird in enumerate(birds)}
    return [Violation(f"after.{at[ref]}", f"job {ref.id} {_FATES[fate]}", fate) for ref in refs]


def _failed(ref: JobRef, error: TidemillError) -> dict[str, Any]:
    return {"id": ref.id, **problem_document(error)}
