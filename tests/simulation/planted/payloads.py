"""Planted bugs of the claim check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.simulation.planted.plant import Planted
from tidemill.aws import payloads
from tidemill.domain import limits
from tidemill.domain.classify import Classification, FailureClass
from tidemill.domain.failure import failure_of
from tidemill.domain.job import Job
from tidemill.domain.outcome import Bury, Complete, Raised, Returned, Untouched
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Parcel, Payloads, Written
from tidemill.domain.signals import TransientError
from tidemill.service import executor, performing, submitter


def discards_first(record: Any) -> Any:
    """The arguments of what succeeded are deleted, then it is recorded."""

    def planted(self: Any, batch: Any) -> None:
        done = [
            (batch.claimed[message_id].job.ref, stored)
            for message_id in batch.unrecorded()
            if isinstance(batch.attempts.get(message_id), Returned)
            and (stored := batch.claimed[message_id].received.envelope.stored) is not None
        ]
        if done:
            self.around.payloads.discard(done)
        record(self, batch)

    return planted


def discards_dead(discard: Any) -> Any:
    """The arguments of what died are deleted too."""

    def planted(self: Any, recorded: Any) -> None:
        discard(self, recorded)
        stored = [(one.job.ref, one.envelope.stored) for one in recorded if isinstance(one.verdict, Bury)]
        self.around.payloads.discard([(ref, receipt) for ref, receipt in stored if receipt is not None])

    return planted


def names_by_generation(_: Any) -> Any:
    """A result is called after its generation: a zombie of it has the same name for its own."""

    def planted(payloads: Payloads, job: Job, text: str | None, keep: timedelta) -> str | Stored | None:
        data = (text or "").encode()
        if len(data) <= limits.MAX_RESULT_BYTES:
            return text
        return payloads.put(job.ref, f"result/{job.generation}", data, keep)

    return planted


def puts_last(accept: Any) -> Any:
    """The message goes first, then the bytes that it names are put."""

    def planted(self: Any, plans: Any, now_ms: int, results: Any) -> None:
        accept(_Unstoring(self), plans, now_ms, results)
        parcels = [
            Parcel(plan.order.ref, stored.name, plan.order.args)
            for plan in plans.values()
            if (stored := plan.order.envelope.stored) is not None
        ]
        self.payloads.put_all(parcels)

    return planted


class _Unstoring:
    """A submitter that stores nothing before it sends."""

    def __init__(self, submitter: Any) -> None:
        self._submitter = submitter
        self._store = lambda plans, _: plans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._submitter, name)


def pays_for_outages(_: Any) -> Any:
    """A job whose arguments S3 did not hand out has failed."""

    def planted(*given: Any) -> Any:
        if not given or given[0] != "payload_unavailable":
            return Untouched(*given)
        failure = failure_of("", TransientError("no arguments"))
        return Raised(failure, Classification(FailureClass.TRANSIENT), "payload_unavailable")

    return planted


def discards_refused(report: Any) -> Any:
    """A worker that lost its job deletes the arguments all the same."""

    def planted(telemetry: Any, ended: Any) -> Any:
        from tests.simulation.stage import playing

        payloads = playing().deployment.program.client.submitter.payloads
        lost = [
            (one.job.ref, one.envelope.stored)
            for one, answer in ended
            if isinstance(one.verdict, Complete) and not isinstance(answer, Written)
        ]
        payloads.discard([(ref, receipt) for ref, receipt in lost if receipt is not None])
        return report(telemetry, ended)

    return planted


def forgets_tenant(_: Any) -> Any:
    """The tenant is no part of the name."""
    return lambda ref, name: f"any/{ref.id}/{name}"


PLANTED: Final = (
    Planted(
        "hash not checked",
        "I22",
        "large",
        "stored bytes are taken for what was stored",
        ((Stored, "check", lambda _: lambda _, data: data),),
    ),
    Planted(
        "arguments deleted first",
        "I22",
        "large",
        "stored arguments are deleted before it is recorded that their job succeeded",
        ((executor.Executor, "_record", discards_first),),
    ),
    Planted(
        "arguments deleted on death",
        "I22",
        "large",
        "stored arguments end with their job, however it ended",
        ((executor.Executor, "_discard", discards_dead),),
    ),
    Planted(
        "arguments deleted by the loser",
        "I22",
        "large",
        "a worker that lost its job deletes the stored arguments",
        ((executor, "report_outcomes", discards_refused),),
    ),
    Planted(
        "bytes after the message",
        "I22",
        "large",
        "large arguments are stored after the message that names them was sent",
        ((submitter.Submitter, "_accept", puts_last),),
    ),
    Planted(
        "result named by its generation",
        "I22",
        "large",
        "two attempts of one generation store their results under one name",
        ((performing, "kept_result", names_by_generation),),
    ),
    Planted(
        "an outage of S3 paid for",
        "I22",
        "large",
        "a job whose arguments S3 did not hand out loses an attempt",
        ((performing, "Untouched", pays_for_outages),),
    ),
    Planted(
        "stored without tenant",
        "I22",
        "large",
        "stored bytes are found by the job's id alone",
        ((payloads, "object_key", forgets_tenant),),
    ),
)
