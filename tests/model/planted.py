"""Bugs that are planted in the shipped code, one at a time, each with the bounds that are to catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.model.planted_saga import IN_SAGAS
from tests.model.planting import Planted, always
from tidemill.domain import conclusion, settle
from tidemill.domain.decide import Waits
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory
from tidemill.domain.message import Held
from tidemill.domain.ports import Refused, Written
from tidemill.service import census, claiming, executor, janitor, resending, reviving
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.notebook import Notebook
from tidemill.service.performing import Performer
from tidemill.testing import store, waits
from tidemill.testing.memory import MemoryOfJobs
from tidemill.testing.store import MemoryStore

# --- lease ---------------------------------------------------------------------------------------


def _claims_without(condition: str) -> Callable[[Any], Any]:
    def claim(self: MemoryStore, asked: Any) -> Any:
        job = self.jobs.get(asked.ref)
        is_free = job is not None and job.claimable_at is not None and job.claimable_at < asked.now_ms
        if job is None or job.state.is_final or (condition != "time" and not is_free):
            return Refused(job)
        if condition != "fingerprint" and job.fingerprint != asked.fingerprint:
            return Refused(job)
        self.jobs[asked.ref] = job.claimed(asked.owner, asked.held, asked.now_ms, asked.lease_until, asked.ttl_s)
        return Written(self.jobs[asked.ref], job)

    return lambda _: claim


def _concludes_without_the_fence(_: Any) -> Any:
    def conclude(self: MemoryStore, ended: Any) -> Any:
        current = self.jobs[ended.job.ref]
        self.jobs[ended.job.ref] = conclusion.concluded(current, ended.verdict, ended.now_ms)
        return Written(self.jobs[ended.job.ref], current)

    return conclude


def _remembers_without_the_fence(_: Any) -> Any:
    return lambda self, job: self.memories.get(job.ref, Memory())


def _opens_without_the_fence(_: Any) -> Any:
    def reopen(self: MemoryOfJobs, job: Job, ttl_s: int, code: str) -> Memory:
        self.memories[job.ref] = replace(self.memories.get(job.ref, Memory()), fence=job.fence)
        return self.memories[job.ref]

    return reopen


def _extends_without_the_fence(_: Any) -> Any:
    def extend(self: MemoryStore, job: Job, lease_until: int, progress: str | None) -> Any:
        current = self.jobs[job.ref]
        if current.state is not State.RUNNING:
            return Refused(current)
        self.jobs[job.ref] = conclusion.extended(current, lease_until, progress)
        return Written(self.jobs[job.ref], current)

    return extend


def _lets_poison_pass(gate: Any) -> Any:
    def passes(self: Performer, claimed: Any, definition: Any) -> Any:
        return gate(self, replace(claimed, job=replace(claimed.job, concluded=claimed.job.fence - 1)), definition)

    return passes


def _forgets_the_crash(claimed: Any) -> Any:
    def claim(self: Job, *args: Any) -> Job:
        job: Job = claimed(self, *args)
        return replace(job, concluded=self.fence)

    return claim


def _forgets_the_request(claimed: Any) -> Any:
    return lambda self, *args: replace(claimed(self, *args), cancel_asked=False)


def _never_hears(_: Any) -> Any:
    return lambda self: None


def _forgets_nothing(_: Any) -> Any:
    return lambda self, memory: memory


# --- settlement ----------------------------------------------------------------------------------


def _acks(state: State) -> Callable[[Any], Any]:
    def make(refused: Any) -> Any:
        return lambda job, held, **rest: settle.ACK if job.state is state else refused(job, held, **rest)

    return make


def _waits_unwatched(_: Any) -> Any:
    return lambda *args, **named: Waits(*args[:3])


def _marks_without_sending(send: Any) -> Any:
    def sends(self: Any, jobs: Any) -> Any:
        for job in jobs:
            self.store.move("revive", job, conclusion.revived(job, self.clock.now_ms()))
        return 0

    return sends


def _keeps_no_arguments(_: Any) -> Any:
    def concluded(self: MemoryStore, ended: Any) -> Any:
        current = self.jobs[ended.job.ref]
        if current.state is not State.RUNNING or current.fence != ended.job.fence:
            return Refused(current)
        self.jobs[ended.job.ref] = conclusion.concluded(current, ended.verdict, ended.now_ms)
        return Written(self.jobs[ended.job.ref], current)

    return concluded


# --- redrive -------------------------------------------------------------------------------------


def _never_redrives(refused: Any) -> Any:
    def answer(job: Job, held: Held, **rest: Any) -> Any:
        found = refused(job, held, **rest)
        return settle.TO_DLQ if found is settle.Revival.REDRIVE else found

    return answer


def _never_reruns(refused: Any) -> Any:
    return lambda job, held, **rest: refused(job, held, **{**rest, "generation": job.generation})


def _in_the_same_generation(_: Any) -> Any:
    return lambda self, *args: self.claimed(*args)


def _takes_any_later_send(_: Any) -> Any:
    return lambda self, earlier: self.sent_at > earlier.sent_at


def _knows_no_arguments(refused: Any) -> Any:
    return lambda job, held, **rest: refused(job, held, **{**rest, "fingerprint": job.fingerprint})


def _records_nothing(_: Any) -> Any:
    return lambda self, job, scheduled, forget: None


def _keeps_the_old_fingerprint(_: Any) -> Any:
    return lambda job, **changes: replace(job, **{**changes, "fingerprint": getattr(job, "fingerprint", "")})


def _forgets_to_forget(resend: Any) -> Any:
    return lambda self, job, envelope, forget: resend(self, job, envelope, None)


def _obeys_again(_: Any) -> Any:
    def obeys(self: Memory, generation: int) -> Memory:
        return self if self.wish is None else self.forgetting(self.wish.forget)

    return obeys


def _obeys_only_the_generation_of_the_wish(obeying: Any) -> Any:
    def obeys(self: Memory, generation: int) -> Memory:
        is_its = self.wish is not None and self.wish.generation == generation
        memory: Memory = obeying(self, generation) if is_its else self
        return memory

    return obeys


def _revives_what_has_moved(_: Any) -> Any:
    return lambda self, verb, before, after, notices=(), **_: _written(self, before, after)


def _written(self: MemoryStore, before: Job, after: Job) -> Any:
    self.jobs[before.ref] = after
    return Written(after, before)


# --- moving --------------------------------------------------------------------------------------


def _acks_what_was_postponed(refused: Any) -> Any:
    def answer(job: Job, held: Held, **rest: Any) -> Any:
        found = refused(job, held, **rest)
        return settle.ACK if isinstance(found, settle.Shelve) else found

    return answer


def _keeps_nothing(_: Any) -> Any:
    return lambda self, envelopes, ttl_s: [None] * len(envelopes)


def _at_once(revived: Any) -> Any:
    return lambda job, sent_at: replace(revived(job, sent_at), claimable_at=0)


# --- waiting -------------------------------------------------------------------------------------


def _waits_whatever_was_answered(disturbed: Any) -> Any:
    return lambda current, ended: disturbed(replace(current, answers=ended.job.answers), ended)


PLANTED = (
    Planted("a claim takes a lease that lasts", "lease", "expiry", MemoryStore, "_claim", _claims_without("time")),
    Planted(
        "a verdict is written without the fence",
        "lease",
        "cancels",
        MemoryStore,
        "_conclude",
        _concludes_without_the_fence,
    ),
    Planted(
        "a step is recorded without the fence",
        "lease",
        "two workers, two steps",
        MemoryOfJobs,
        "_mine",
        _remembers_without_the_fence,
    ),
    Planted(
        "an older attempt opens the memory",
        "lease",
        "two workers, two steps",
        MemoryOfJobs,
        "open",
        _opens_without_the_fence,
    ),
    Planted(
        "a lease is extended without the fence", "lease", "expiry", MemoryStore, "extend", _extends_without_the_fence
    ),
    Planted("a poisonous job runs", "lease", "expiry", Performer, "_gate", _lets_poison_pass),
    Planted("a crash is not counted", "lease", "expiry", Job, "claimed", _forgets_the_crash),
    Planted("a claim forgets the request to cancel", "lease", "cancels", Job, "claimed", _forgets_the_request),
    Planted("a job is not told to stop", "lease", "cancels", AttemptLifeline, "_hear", _never_hears),
    Planted("a restart forgets nothing", "lease", "forgetting", Notebook, "_revised", _forgets_nothing),
    Planted("a busy job's message is acked", "settlement", "deaths", claiming, "settle_refused", _acks(State.RUNNING)),
    Planted("every message is acked", "settlement", "deaths", executor, "settle", always(settle.ACK)),
    Planted(
        "a fenced-out worker acks", "settlement", "slow workers", executor, "settle_fenced_out", always(settle.ACK)
    ),
    Planted("a sweep's own message is acked", "settlement", "parked", settle, "_SWEEP_REACH_MS", lambda _: 0),
    Planted("a watched job waits in the queue", "settlement", "parked duplicates", executor, "Waits", _waits_unwatched),
    Planted(
        "the sweep marks without sending", "settlement", "parked", janitor.Janitor, "_send", _marks_without_sending
    ),
    Planted(
        "the sweep passes watched jobs by",
        "settlement",
        "late duplicates",
        janitor.Janitor,
        "_is_due",
        lambda _: lambda self, job: job.state is State.SCHEDULED,
    ),
    Planted(
        "a parked job's arguments are not kept", "settlement", "parked", MemoryStore, "_conclude", _keeps_no_arguments
    ),
    Planted("the census sees nothing", "settlement", "deaths", census.Census, "_died_unseen", always(False)),
    Planted(
        "the census waits for a message that is deleted",
        "settlement",
        "a deleted duplicate holds the job",
        census.Census,
        "_is_the_last",
        always(False),
    ),
    Planted(
        "the census takes any copy for the last",
        "settlement",
        "a deleted duplicate holds the job",
        census.Census,
        "_is_the_last",
        always(True),
    ),
    Planted(
        "the loser of a key is claimed",
        "settlement",
        "two submitters",
        MemoryStore,
        "_claim",
        _claims_without("fingerprint"),
    ),
    Planted("a redrive is not recognised", "redrive", "console", claiming, "settle_refused", _never_redrives),
    Planted("a redrive opens no generation", "redrive", "console", Job, "regenerated", _in_the_same_generation),
    Planted("any later send is a redrive", "redrive", "copies", Held, "is_redrive_of", _takes_any_later_send),
    Planted("a rerun is not recognised", "redrive", "key", claiming, "settle_refused", _never_reruns),
    Planted(
        "a restart's record does not say so", "redrive", "restart", resending.Resending, "resend", _forgets_to_forget
    ),
    Planted(
        "what the record is to forget is ignored",
        "redrive",
        "restart and copies",
        Memory,
        "obeying",
        lambda _: lambda self, generation: self,
    ),
    Planted("a restart forgets in every generation", "redrive", "restart and resume", Memory, "obeying", _obeys_again),
    Planted(
        "a resume forgets that a restart never began",
        "redrive",
        "restart and resume",
        Memory,
        "obeying",
        _obeys_only_the_generation_of_the_wish,
    ),
    Planted("a resend is sent but not recorded", "redrive", "edit", resending.Resending, "_record", _records_nothing),
    Planted("an edit keeps the old fingerprint", "redrive", "edit", resending, "replace", _keeps_the_old_fingerprint),
    Planted(
        "a move is written whatever the record is", "redrive", "resume", MemoryStore, "move", _revives_what_has_moved
    ),
    Planted("a claim ignores the arguments", "redrive", "edit", MemoryStore, "_claim", _claims_without("fingerprint")),
    Planted(
        "a postponed job's message is acked",
        "moving",
        "moved once",
        claiming,
        "settle_refused",
        _acks_what_was_postponed,
    ),
    Planted("a shelved job's arguments are not kept", "moving", "moved once", MemoryStore, "keep", _keeps_nothing),
    Planted("a sweep's mark forgets the time", "moving", "cancelled", reviving, "revived", _at_once),
    Planted(
        "a moved job is marked whatever became of it",
        "moving",
        "there and back",
        MemoryStore,
        "move",
        _revives_what_has_moved,
    ),
    *IN_SAGAS,
    Planted(
        "a job begins to wait whatever was answered",
        "waiting",
        "answered",
        store,
        "_is_disturbed",
        _waits_whatever_was_answered,
    ),
    Planted("an answer does not tell the job", "waiting", "answered", waits, "told", always(None)),
    Planted(
        "an outcome is written over another",
        "waiting",
        "answered",
        waits.MemoryWaits,
        "_is_as_read",
        always(True),
    ),
)
