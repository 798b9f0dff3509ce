"""What a saga is told of a job that is over."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.errand import Awaited, Errand
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Report
from tidemill.domain.saga.words import EVERYTHING, STEP_FAILED

TOO_LARGE: Final = "result_too_large"
# Until it is told to somebody.
_ANY: Final = ""


def to_each(awaited: Awaited, report: Report) -> list[Report]:
    """A report to all that wait, or did."""
    return [replace(report, token=token) for token in awaited.tokens]


def succeeded(awaited: Awaited, job: Job, result: Any) -> Report:
    """The report of a step that succeeded, or of what it can't tell."""
    told = _told(awaited.errand, job, result)
    text = json.dumps(told, separators=(",", ":"))
    if len(text.encode()) > limits.MAX_TOLD_BYTES:
        return failed(awaited, job, TOO_LARGE)
    return Report(_ANY, text)


def closed(awaited: Awaited, step: Job | None, result: Any) -> Report:
    """The report of a job that closed a step: how the step's own job ended. None: there is no record of it."""
    if step is None or step.state is not State.SUCCEEDED:
        return Report(_ANY, json.dumps({"state": "none" if step is None else step.state.value}))
    told = _told(awaited.errand, step, result)
    text = json.dumps({"state": State.SUCCEEDED.value, "told": told}, separators=(",", ":"))
    if len(text.encode()) > limits.MAX_TOLD_BYTES:
        # Its saga took no notice of it before, and can't now.
        return Report(_ANY, json.dumps({"state": TOO_LARGE}))
    return Report(_ANY, text)


def failed(awaited: Awaited, job: Job, reason: str | None) -> Report:
    """The report of a job that is over without having succeeded."""
    said = {"job_id": job.ref.id, "step": awaited.errand.step, "state": job.state.value, "reason": reason}
    return Report(_ANY, None, STEP_FAILED, json.dumps(said))


def refused(errand: Errand, code: str) -> Report:
    """The report of a message that could not become a job."""
    said = {"job_id": errand.job_id(), "step": errand.step, "state": "refused", "reason": code}
    return Report(_ANY, None, STEP_FAILED, json.dumps(said))


def needs_a_person(awaited: Awaited, job: Job) -> bool:
    """Whether nothing is reported because the saga can't do without this job: it is mended, and redriven."""
    return awaited.errand.waits and job.state is State.DEAD


def _told(errand: Errand, job: Job, result: Any) -> dict[str, Any]:
    return {"job_id": job.ref.id, "result": _chosen(errand, result)}


def _chosen(errand: Errand, result: Any) -> Any:
    if EVERYTHING in errand.returns:
        return result
    fields = result if isinstance(result, dict) else {}
    return {name: fields.get(name) for name in errand.returns}
