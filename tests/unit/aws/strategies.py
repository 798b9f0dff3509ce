"""Any job that the domain could hold."""

from hypothesis import strategies as st

from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held

MOMENT = st.integers(0, 9_999_999_999_999)
COUNT = st.integers(0, 9_999)
NAME = st.text("abcxyz0189.-_", min_size=1, max_size=48)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
ID = st.uuids().map(str)


def jobs(**fields) -> st.SearchStrategy[Job]:
    """Jobs with any combination of optional fields, sensible or not."""
    strategy = {
        "ref": st.builds(JobRef, NAME, ID),
        "kind": NAME,
        "lane": st.text("abc-", min_size=1, max_size=32),
        "state": st.sampled_from(State),
        "fingerprint": st.text("0123456789abcdef", min_size=32, max_size=32),
        "created_at": MOMENT,
        "claimable_at": st.none() | MOMENT,
        "ttl_s": st.integers(0, 9_999_999_999),
        "key": st.none() | NAME,
        "generation": COUNT,
        "attempt": COUNT,
        "fence": COUNT,
        "concluded": COUNT,
        "deferrals": COUNT,
        "owner": st.none() | st.text("0123456789abcdef", min_size=16, max_size=32),
        "held": st.none() | st.builds(Held, ID, MOMENT),
        "started_at": st.none() | MOMENT,
        "finished_at": st.none() | MOMENT,
        "keep_until": st.none() | MOMENT,
        "expires_at": st.none() | MOMENT,
        "wait_ms": st.integers(0, 43_200_000),
        "reason": st.none() | st.text("abc_", min_size=1, max_size=32),
        "error": st.none() | st.text("0123456789abcdef", min_size=16, max_size=16),
        "result": st.none() | TEXT,
        "has_result_item": st.booleans(),
        "owns_args": st.booleans(),
        "answers": st.integers(0, 99),
        "repeats": st.integers(0, 25),
        "cancel_asked": st.booleans(),
        "progress": st.none() | TEXT,
        "correlation_id": st.none() | TEXT,
    }
    return st.builds(Job, **{**strategy, **fields})
