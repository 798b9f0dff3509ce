"""What a job's function is told about its own run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt of one job. Frozen: a job can't change what the engine believes.

    Attributes:
        job_id: the job's id, equal on every attempt.
        tenant: whose job it is.
        kind: the kind under which it was submitted (an alias, if it was).
        lane: the lane whose worker runs it.
        attempt: this attempt's number in its generation, from 1. Deferrals give theirs back.
        generation: 1, and one more for each redrive or rerun.
        submitted_at_ms: when the job was accepted, Unix time in milliseconds.
        deadline_ms: when the worker's function ends whatever it does, Unix time in milliseconds.
        correlation_id: carried from the submitter through everything the job causes.
    """

    job_id: str
    tenant: str
    kind: str
    lane: str
    attempt: int
    generation: int
    submitted_at_ms: int
    deadline_ms: int
    correlation_id: str
