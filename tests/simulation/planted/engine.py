"""Bugs in the life of a job: submit, claim, conclusion, sweep, census, redrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws import change, concluding, queue, reader, store
from tidemill.domain import conclusion, settle
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import Guard, Verb, transition
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Returned, Untouched
from tidemill.entrypoints import batch
from tidemill.service import executor, performing, submission, submitter
from tidemill.service.census import Census
from tidemill.service.janitor import Janitor


def _without_condition(name: str) -> Callable[[Any], Any]:
    """The claim without one of its conditions, and without that one's value."""

    def make(claiming_: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def planted(claim: Any) -> Any:
            update = claiming_(claim)
            kept = [
                (condition, value)
                for condition, value in zip(update.change.conditions, update.condition_values, strict=True)
                if condition[0] != name
            ]
            shape = replace(update.change, conditions=tuple(condition for condition, _ in kept))
            return replace(update, change=shape, condition_values=[value for _, value in kept])

        return planted

    return make


def _unfenced(guard: Any) -> Any:
    def planted(verb: Verb, before: Job) -> Any:
        conditions, values = guard(verb, before)
        if transition(verb).guard not in (Guard.HOLDER, Guard.UNDISTURBED):
            return conditions, values
        kept = [pair for pair in zip(conditions, values, strict=False) if pair[0][0] not in ("fence", "state")]
        return tuple(condition for condition, _ in kept), [value for _, value in kept]

    return planted


def _unconditional(guarded: Verb) -> Callable[[Any], Any]:
    def make(guard: Any) -> Any:
        def planted(verb: Verb, before: Job) -> Any:
            conditions, values = guard(verb, before)
            if verb is not guarded:
                return conditions, values
            kept = [pair for pair in zip(conditions, values, strict=False) if pair[0][0] == "generation"]
            return tuple(condition for condition, _ in kept), [value for _, value in kept]

        return planted

    return make


def _one_claim_for_all(shape: Any) -> Any:
    return replace(shape, increments=("attempt",))


def _record_first(accept: Any) -> Any:
    def planted(self: Any, plans: Any, now_ms: int, results: Any) -> None:
        queued = {i: plan for i, plan in plans.items() if not plan.order.outlasts_queue(now_ms)}
        self._record(queued, now_ms, results)
        self._send(queued, now_ms, {})
        accept(self, {i: plan for i, plan in plans.items() if i not in queued}, now_ms, results)

    return planted


def _logs_bodies(report: Any) -> Any:
    def planted(telemetry: Any, *given: Any) -> None:
        report(telemetry, *given)
        telemetry.note("outcomes", jobs=[str(conclusion_.envelope.args) for conclusion_, _ in given[0]])

    return planted


def _forgets_tenant(check: Any) -> Any:
    return lambda value, *given: check("acme", *given)


def _never_dead(decided: Any) -> Any:
    def planted(job: Job, *given: Any, **named: Any) -> Any:
        return decided(replace(job, attempt=min(job.attempt, 1)), *given, **named)

    return planted


def _dies_at_once(decided: Any) -> Any:
    """A job that can't succeed is reported as one that did."""

    def planted(job: Job, attempt: Any, **named: Any) -> Any:
        verdict = decided(job, attempt, **named)
        return Complete(None, verdict.keep_until) if isinstance(verdict, Bury) else verdict

    return planted


def _keeps_nothing(final_ttl: Any) -> Any:
    return lambda job, keep_until: job.created_at // 1_000


def _chance_for_key(_: Any) -> Any:
    from tests.simulation.stage import playing
    from tidemill.domain.ids import time_ordered_id

    return lambda *_: time_ordered_id(playing().scheduler.now_ms, playing().rng.getrandbits(74))


def _another_id(context: Any) -> Any:
    def planted(self: Any, claimed: Any, *given: Any) -> Any:
        made = context(self, claimed, *given)
        return replace(made, job_id=f"{made.job_id}-{made.attempt}")

    return planted


def _runs_twice(call: Any) -> Any:
    def planted(self: Any, definition: Any, args: Any, context: Any, *given: Any) -> Any:
        call(self, definition, args, context, *given)
        return call(self, definition, args, context, *given)

    return planted


def _succeeds(raised: Any) -> Any:
    return lambda *_: Returned(None)


def _without_args(made: Any) -> Any:
    return lambda job, verdict, now_ms: replace(made(job, verdict, now_ms), owns_args=False)


PLANTED: Final = (
    Planted(
        "record kept for no time",
        "I1",
        "redrive",
        "a final record's TTL counts from its creation and not from its end",
        ((conclusion, "final_ttl_s", _keeps_nothing),),
    ),
    Planted("no sweep", "I2", "parking", "parked jobs are never sent", ((Janitor, "sweep", always(0)),)),
    Planted("no census", "I2", "basic", "nobody compares the DLQ with the table", ((Census, "take", always(0)),)),
    Planted(
        "failed sends ignored",
        "I2",
        "basic",
        "SendMessageBatch.Failed is not looked at",
        ((queue.SqsJobQueue, "_send_batch", always({})),),
    ),
    Planted(
        "record before message",
        "I2",
        "basic",
        "the record is written first, the message is sent after it",
        ((submitter.Submitter, "_accept", _record_first),),
    ),
    Planted(
        "everything acked",
        "I2",
        "basic",
        "the handler answers that no message failed",
        ((batch.JobBatchProcessor, "response", always({"batchItemFailures": []})),),
    ),
    Planted(
        "fenced-out worker acks",
        "I2",
        "zombies",
        "a worker that lost its fence takes that for done",
        ((executor, "settle_fenced_out", always(settle.ACK)),),
    ),
    Planted(
        "dead without arguments",
        "I3",
        "redrive",
        "burying a job does not keep its arguments",
        ((concluding, "concluded", _without_args),),
    ),
    Planted(
        "claim of what is final",
        "I4",
        "basic",
        "a claim does not ask whether the job may be claimed",
        ((store, "claiming", _without_condition("claimable_at")),),
    ),
    Planted(
        "cancel at any time",
        "I4",
        "basic",
        "a cancel does not ask what became of the job meanwhile",
        ((change, "_guard", _unconditional(Verb.CANCEL)),),
    ),
    Planted(
        "conclusion without fence",
        "I5",
        "basic",
        "a verdict is written whoever holds the job",
        ((change, "_guard", _unfenced),),
    ),
    Planted(
        "fence stands still",
        "I6",
        "basic",
        "a claim does not raise the fence",
        ((change, "CLAIM", _one_claim_for_all),),
    ),
    Planted(
        "a key for each attempt",
        "I7",
        "basic",
        "the job id that a job sees differs from attempt to attempt",
        ((performing.Performer, "_context", _another_id),),
    ),
    Planted(
        "run twice", "I7", "basic", "one claim starts the job twice", ((performing.Performer, "_call", _runs_twice),)
    ),
    Planted(
        "failure taken for success",
        "I8",
        "basic",
        "a job that raised is recorded as succeeded",
        ((performing, "ended_by", _succeeds),),
    ),
    Planted(
        "death taken for success",
        "I8",
        "basic",
        "a job that used up its attempts is recorded as succeeded",
        ((executor, "decide", _dies_at_once),),
    ),
    Planted(
        "redrive not seen",
        "I9",
        "redrive",
        "a message that comes back from the DLQ is taken for a duplicate",
        ((Held, "is_redrive_of", always(False)),),
    ),
    Planted(
        "attempts not counted",
        "I14",
        "basic",
        "a failed job never runs out of attempts",
        ((executor, "decide", _never_dead),),
    ),
    Planted(
        "key not an identity",
        "I16",
        "basic",
        "a key gets another job id each time",
        ((submission, "keyed_job_id", _chance_for_key),),
    ),
    Planted(
        "claim of other arguments",
        "I16",
        "basic",
        "a claim does not compare the fingerprint",
        ((store, "claiming", _without_condition("fingerprint")),),
    ),
    Planted(
        "tenant forgotten",
        "I17",
        "basic",
        "every submit is the first tenant's",
        ((submission, "check_tenant", _forgets_tenant),),
    ),
    Planted(
        "payload in the log",
        "I18",
        "basic",
        "the batch's line shows what it was about",
        ((executor, "report_outcomes", _logs_bodies),),
    ),
    Planted(
        "janitor looks where it may not",
        "I19",
        "parking",
        "the sweep reads the index of what needs attention",
        ((reader, "DUE_INDEX", lambda _: reader.ATTENTION_INDEX),),
    ),
    Planted(
        "never time enough",
        "I20",
        "basic",
        "a job is always given back untouched",
        ((performing.Performer, "_gate", always(Untouched())),),
    ),
)
