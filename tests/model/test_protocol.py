"""Every schedule within small bounds keeps the promises, and the search would notice if one did not."""

from dataclasses import replace

import pytest

from tests.model.search import explore
from tests.model.world import Bounds
from tidemill.domain import conclusion, limits, settle
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.ports import Refused, Written
from tidemill.service import claiming
from tidemill.testing.store import MemoryStore

ENDS = ("succeeds", "fails for good")
ZOMBIES = Bounds(workers=2, receives=2, redrives=1, sweeps=0, outcomes=ENDS, old_receipts_delete=True)
RETRIES = Bounds(workers=1, receives=3, redrives=1, sweeps=0, outcomes=("succeeds", "fails", "fails for good"))
KEY_RACE = Bounds(submitters=2, other_args=True, workers=1, receives=1, redrives=0, sweeps=0, outcomes=ENDS)
COPIES = Bounds(submitters=2, workers=1, receives=1, redrives=1, sweeps=0, outcomes=("fails for good",))
PARKING = Bounds(workers=1, receives=1, redrives=0, sweeps=1, outcomes=("succeeds", "is deferred"))
CANCELS = Bounds(workers=1, receives=2, redrives=1, sweeps=0, cancels=1, outcomes=ENDS)


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch):
    """The same rules at smaller numbers: the second crash is poison, the third receive is the last."""
    monkeypatch.setattr(limits, "MAX_CRASHES", 2)
    monkeypatch.setattr(limits, "MAX_RECEIVES", 3)


@pytest.mark.parametrize(
    ("bounds", "least"),
    [(ZOMBIES, 5_000), (RETRIES, 5_000), (KEY_RACE, 1_000), (COPIES, 1_000), (PARKING, 500), (CANCELS, 500)],
    ids=["zombies", "retries", "key race", "copies", "parking", "cancels"],
)
def test_no_schedule_breaks_a_promise(bounds, least):
    finding = explore(bounds)

    assert (finding.problem, finding.trace) == ("", ())
    assert finding.states > least


def acks_the_dead(job, held, **rest):
    return settle.ACK if job.state is State.DEAD else settle.settle_refused(job, held, **rest)


def never_redrives(job, held, **rest):
    answer = settle.settle_refused(job, held, **rest)
    return settle.TO_DLQ if answer is settle.Revival.REDRIVE else answer


def acks_the_busy(job, held, **rest):
    return settle.ACK if job.state is State.RUNNING else settle.settle_refused(job, held, **rest)


def knows_no_other_arguments(job, held, **rest):
    return settle.settle_refused(job, held, **{**rest, "fingerprint": job.fingerprint})


def concludes_without_a_fence(self, ended):
    current = self.jobs[ended.job.ref]
    after = conclusion.concluded(current, ended.verdict, ended.now_ms)
    self.jobs[after.ref] = replace(after, owns_args=True)
    return Written(after, current)


def claims_whatever_the_arguments(self, claim):
    job = self.jobs.get(claim.ref)
    if job is None or job.claimable_at is None or job.claimable_at >= claim.now_ms:
        return Refused(job)
    self.jobs[claim.ref] = job.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
    return Written(self.jobs[claim.ref], job)


def claims_a_live_lease(self, claim):
    job = self.jobs.get(claim.ref)
    if job is None or job.state.is_final or job.fingerprint != claim.fingerprint:
        return Refused(job)
    self.jobs[claim.ref] = job.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
    return Written(self.jobs[claim.ref], job)


def claims_the_final(self, claim):
    job = self.jobs.get(claim.ref)
    if job is None or (job.claimable_at or 0) >= claim.now_ms or job.fingerprint != claim.fingerprint:
        return Refused(job)
    self.jobs[claim.ref] = job.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
    return Written(self.jobs[claim.ref], job)


def revives_in_the_same_generation(self, owner, held, now_ms, lease_until, ttl_s):
    return self.claimed(owner, held, now_ms, lease_until, ttl_s)


PLANTED = {
    "a dead job's message is acked": (claiming, "settle_refused", acks_the_dead, ZOMBIES),
    "a burial acks its message": (settle, "settle", lambda verdict: settle.ACK, ZOMBIES),
    "a fenced-out worker acks": (settle, "settle_fenced_out", lambda job: settle.ACK, ZOMBIES),
    "a busy job's message is acked": (claiming, "settle_refused", acks_the_busy, ZOMBIES),
    "a redrive is not recognised": (claiming, "settle_refused", never_redrives, ZOMBIES),
    "any later send is a redrive": (Held, "is_redrive_of", lambda self, old: self.sent_at > old.sent_at, COPIES),
    "a redrive opens no generation": (Job, "regenerated", revives_in_the_same_generation, ZOMBIES),
    "a verdict is written without the fence": (MemoryStore, "_conclude", concludes_without_a_fence, ZOMBIES),
    "a claim ignores the arguments": (MemoryStore, "_claim", claims_whatever_the_arguments, KEY_RACE),
    "a claim ignores that a job is over": (MemoryStore, "_claim", claims_the_final, ZOMBIES),
    "a sweep's own message is acked": (settle, "_SWEEP_REACH_MS", 0, PARKING),
}


@pytest.mark.parametrize(("place", "name", "bug", "bounds"), PLANTED.values(), ids=PLANTED)
def test_the_search_finds_the_planted_bug(monkeypatch, place, name, bug, bounds):
    monkeypatch.setattr(place, name, bug)

    finding = explore(bounds)

    assert finding.problem
    assert 3 <= len(finding.trace) <= 25


@pytest.mark.parametrize("harmless", [claims_a_live_lease, knows_no_other_arguments], ids=lambda bug: bug.__name__)
def test_what_the_fence_or_the_claim_makes_up_for_breaks_no_promise(monkeypatch, harmless):
    if harmless is claims_a_live_lease:
        monkeypatch.setattr(MemoryStore, "_claim", harmless)
    else:
        monkeypatch.setattr(claiming, "settle_refused", harmless)

    assert explore(replace(PARKING, outcomes=("succeeds",))).problem == ""
