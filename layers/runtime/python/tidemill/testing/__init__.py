"""For tests: a whole Tidemill in memory, contexts for calling a job directly, faults, and assertions.

Nothing here needs AWS or a test runner. `docs/testing-your-jobs.md` is the tour.
"""

from tidemill.domain.interrupt import Awaiting
from tidemill.testing.assertions import (
    assert_dead,
    assert_retried,
    assert_state,
    assert_submitted,
    assert_succeeded,
    refute_submitted,
)
from tidemill.testing.clock import FrozenClock, VirtualClock
from tidemill.testing.faults import Crashed, Fault, Faults, Process
from tidemill.testing.harness import Harness
from tidemill.testing.local_context import LocalContext, context
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.naming import JobLike
from tidemill.testing.observing import Calls
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.store import MemoryStore
from tidemill.testing.submitted import Submitted

__all__ = (
    "Awaiting",
    "Calls",
    "Crashed",
    "Fault",
    "Faults",
    "FrozenClock",
    "Harness",
    "JobLike",
    "LocalContext",
    "MemoryOfJobs",
    "MemoryPayloads",
    "MemoryQueues",
    "MemoryStore",
    "Process",
    "Submitted",
    "VirtualClock",
    "assert_dead",
    "assert_retried",
    "assert_state",
    "assert_submitted",
    "assert_succeeded",
    "context",
    "refute_submitted",
)
