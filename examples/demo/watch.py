"""Waiting, with a view."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from examples.demo.screen import Bulk, Row, Screen
from examples.demo.stage import Stage
from tidemill.domain.job import Job, JobRef

_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.25


@dataclass(frozen=True)
class Sent:
    """One job that was submitted, and how."""

    label: str
    via: str
    ref: JobRef


def watch(stage: Stage, screen: Screen, few: Sequence[Sent], many: Sequence[JobRef] = ()) -> dict[JobRef, Job | None]:
    """Show the jobs until every one is over, or patience is; answers their records."""
    refs = [*(sent.ref for sent in few), *many]
    deadline = time.monotonic() + _PATIENCE_S
    with screen.watching() as show:
        while True:
            jobs = dict(zip(refs, stage.jobs(refs), strict=True))
            done = sum(is_over(jobs[ref]) for ref in many)
            show([Row(sent.label, sent.via, jobs[sent.ref]) for sent in few], Bulk(done, len(many)))
            if all(map(is_over, jobs.values())) or time.monotonic() > deadline:
                return jobs
            time.sleep(_POLL_S)


def is_over(job: Job | None) -> bool:
    """Whether nothing more will happen to the job by itself."""
    return job is not None and job.state.is_final


def wait_until(holds: Callable[[], bool], patience_s: float = 30.0) -> bool:
    """Whether it came to hold within `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
