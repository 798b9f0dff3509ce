"""From the message that a schedule sends to the job of its tick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tidemill.domain.envelope import TICK_FIELD
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.registry import JobRegistry
from tidemill.domain.tick import read_tick
from tidemill.service.request import parse_request
from tidemill.service.submission import Submission

# A tick decides the rest: who the job is and when it is due.
FIELDS: Final = frozenset({TICK_FIELD, "kind", "args", "version", "tenant", "expires_in_seconds"})


def parse_tick(document: dict[str, Any], registry: JobRegistry) -> Submission:
    """Turn `{"tick": {"schedule": ..., "at": ...}, "kind": ..., "args": {...}}` into a submission.

    Its id follows from the schedule and the time, so that a tick that is sent again is answered with the first job:
    whatever became of that one, it never runs for it. That window is 19 days from the job's last message. Scheduler
    repeats a send for a day, and what it then gives up waits in a DLQ for 14, on the lane's queue for 4 if somebody
    puts it there: no copy of a tick is older.

    Raises:
        InputError: a field is unknown, missing or bad; each is named.
    """
    tick = read_tick(document)
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        raise InputError(*(Violation(str(name)[:64], "is no field of a tick's message", "extra") for name in unknown))
    submission = parse_request({name: value for name, value in document.items() if name != TICK_FIELD}, registry)
    return replace(
        submission,
        job_id=tick.job_id(submission.tenant, submission.args.job_kind),
        causation_id=tick.cause,
        scheduled_at=tick.at,
    )
