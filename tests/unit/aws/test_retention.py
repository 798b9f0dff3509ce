"""How long the items beside a record are kept: never shorter than what points to them."""

from dataclasses import replace
from random import Random

import pytest

from tests.contract.builders import FAILURE, KEEP, NOW, make_conclusion, make_envelope, make_job
from tidemill import Retention, Retry, days
from tidemill.aws.concluding import ending
from tidemill.domain.classify import Classification, FailureClass
from tidemill.domain.decide import Waits, decide
from tidemill.domain.duration import milliseconds
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Bury, Complete, Raised
from tidemill.domain.ports import Conclusion

TRANSIENT = Raised(FAILURE, Classification(FailureClass.TRANSIENT), "error")


def ttls(done, prefix):
    return [int(item["ttl"]["N"]) for item in done.siblings if item["sk"]["S"].startswith(prefix)]


@pytest.mark.parametrize("kept", [days(1), days(30), days(400)])
@pytest.mark.parametrize("receives", [1, 5], ids=["in the queue", "parked"])
def test_the_first_failure_is_kept_as_long_as_the_job_that_dies_of_it(kept, receives):
    retention, retry = Retention(dead=kept), Retry(max_attempts=2)
    running = make_job(State.RUNNING)
    chance = Random(1).random  # noqa: S311 - chance that repeats
    choice = {"retry": retry, "retention": retention, "random": chance, "waits": Waits(receives)}
    waits = decide(running, TRANSIENT, now_ms=NOW, **choice)
    first = ending(Conclusion(running, waits, make_envelope(running), NOW))
    # The longest that 24 waits of 12 hours can take.
    death_at = NOW + milliseconds(days(12))
    again = replace(running, attempt=2, fence=2, concluded=1)
    dies = decide(again, TRANSIENT, now_ms=death_at, **choice)
    assert isinstance(dies, Bury)
    last = ending(Conclusion(again, dies, make_envelope(again), death_at))

    assert min(ttls(first, "ERROR#")) >= dies.keep_until // 1000
    assert min(ttls(last, "ERROR#") + ttls(last, "ARGS#")) >= last.after.ttl_s


def test_a_result_is_kept_as_long_as_its_job():
    job = make_job(State.RUNNING)
    done = ending(replace(make_conclusion(job, "complete"), verdict=Complete(f'"{"x" * 5_000}"', KEEP)))

    assert ttls(done, "RESULT#") == [done.after.ttl_s]
