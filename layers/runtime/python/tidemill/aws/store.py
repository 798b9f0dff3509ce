"""The jobs table in DynamoDB, written. See `tidemill.domain.ports.JobStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tidemill.aws.change import Update, claiming, extending, moving
from tidemill.aws.concluding import Ending, ending
from tidemill.aws.items import Item, job_of, state_item
from tidemill.aws.outcomes import Done
from tidemill.aws.resolving import Doubtful, Resolved, answer_of, resolve
from tidemill.aws.siblings import args_item, args_key, error_item, wishing
from tidemill.aws.table import JobsTable
from tidemill.aws.transaction import Action
from tidemill.aws.updates import in_transaction
from tidemill.aws.writer import ConditionalWriter, Insert, Together, Write
from tidemill.domain import lifecycle
from tidemill.domain.conclusion import extended
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import Verb
from tidemill.domain.memory import Wish
from tidemill.domain.notice import Notice
from tidemill.domain.ports import Answer, AttemptFailure, Claim, Conclusion, Refused, Unwritten, Written

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from tidemill.domain.outbox import Outbound


class DynamoJobStore:
    """`JobStore` on one DynamoDB table.

    A normal job costs three write units: insert, claim, conclude. A refused write costs one.

    Arguments:
        client, table: where the records are.
        list_index: whether new records are written to the list index too: one more unit a job.
        batch_from: from how many records on a call goes out as PartiQL batches of 25.
        meter: is told the capacity units that DynamoDB counts for each call.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        list_index: bool,
        batch_from: int = 3,
        meter: Callable[[float], None] | None = None,
    ) -> None:
        self._table = JobsTable(client, table, meter)
        self._writer = ConditionalWriter(self._table, batch_from)
        self._list_index = list_index

    def insert(self, jobs: Sequence[Job]) -> list[Answer]:
        """See JobStore. A record that equals the wanted one is the wanted one."""
        writes = [Insert(state_item(job, listed=self._list_index)) for job in jobs]
        resolved = self._write("insert", [job.ref for job in jobs], writes)
        return [answer_of(found, Written(job), job.__eq__) for job, found in zip(jobs, resolved, strict=True)]

    def refuse(self, dead: Job, evidence: AttemptFailure) -> Answer:
        """See JobStore. Two units for the record and two for each kilobyte of the evidence, beside the indexes."""
        lifecycle.check_birth("refuse", dead.state)
        record = Insert(state_item(dead, listed=self._list_index))
        written = Together(record, ({"Put": {"Item": error_item(dead.ref, evidence, dead.ttl_s)}},))
        (resolved,) = self._write("refuse", [dead.ref], [written])
        return answer_of(resolved, Written(dead), dead.__eq__)

    def claim(self, claims: Sequence[Claim]) -> list[Answer]:
        """See JobStore. A claim whose answer was lost is refused by a record that names its owner."""
        resolved = self._write("claim", [claim.ref for claim in claims], [claiming(claim) for claim in claims])
        return [_claim_answer(claim, found) for claim, found in zip(claims, resolved, strict=True)]

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[Answer]:
        """See JobStore. A record that shows this very conclusion is no refusal of it."""
        endings = [ending(conclusion) for conclusion in conclusions]
        failed = self._put_siblings(endings)
        ready = [done for done, error in zip(endings, failed, strict=True) if error is None]
        writes = [self._ended(done) for done in ready]
        resolved = self._write("conclude", [done.before.ref for done in ready], writes)
        answers = (
            answer_of(found, Written(done.after, done.before), done.is_shown_by)
            for done, found in zip(ready, resolved, strict=True)
        )
        return [next(answers) if error is None else Unwritten(error) for error in failed]

    def move(
        self,
        verb: Verb,
        before: Job,
        after: Job,
        notices: tuple[Notice, ...] = (),
        *,
        forget: str | None = None,
        outbounds: Sequence[Outbound] = (),
    ) -> Answer:
        """See JobStore. With a wish: two units for the record and two for each kilobyte of what is remembered."""
        lifecycle.check_move(verb, before.state, after.state)
        beside, firm = self._beside(notices), _outbox(outbounds)
        if forget is not None:
            beside += ({"Update": wishing(before.ref, Wish(after.generation, forget), after.ttl_s)},)
        update = moving(verb, before, after)
        (resolved,) = self._write(verb, [before.ref], [_written(update, beside, firm)])
        return answer_of(resolved, Written(after, before), after.__eq__)

    def extend(self, job: Job, lease_until: int, progress: str | None) -> Answer:
        """See JobStore. A lost answer is no answer: the next sign of life repeats it."""
        (resolved,) = self._write("extend", [job.ref], [extending(job, lease_until, progress)])
        match resolved:
            case Done(before=item):
                before = job_of(item or {})
                return Written(extended(before, lease_until, progress), before)
            case Refused():
                return resolved
            case Doubtful(error=error):
                return Unwritten(error)

    def keep(self, envelopes: Sequence[Envelope], ttl_s: Sequence[int]) -> list[UnavailableError | None]:
        """See JobStore."""
        return self._table.put("keep", [args_item(*entry) for entry in zip(envelopes, ttl_s, strict=True)])

    def keep_longer(self, job: Job, ttl_s: int) -> UnavailableError | None:
        """See JobStore. It costs a unit for each kilobyte of the arguments."""
        return self._table.keep_longer("keep_longer", args_key(job.ref, job.fingerprint), ttl_s)

    def _ended(self, done: Ending) -> Write:
        update = moving(done.verb, done.before, done.after)
        return _written(update, self._beside(done.notices), _outbox(done.outbounds))

    def _beside(self, notices: tuple[Notice, ...]) -> tuple[Action, ...]:
        return tuple(action for notice in notices for action in self._notice(notice))

    def _notice(self, notice: Notice) -> tuple[Action, ...]:
        record = state_item(notice.record, listed=self._list_index)
        envelope = args_item(notice.envelope, notice.record.ttl_s)
        return in_transaction(record), {"Put": {"Item": envelope}}

    def _write(self, operation: str, refs: Sequence[JobRef], writes: Sequence[Write]) -> list[Resolved]:
        return resolve(self._table, operation, refs, self._writer.write(operation, writes))

    def _put_siblings(self, endings: Sequence[Ending]) -> list[UnavailableError | None]:
        """Write what the records will point to: for each ending its first failure, None if there is none."""
        errors: list[UnavailableError | None] = [None] * len(endings)
        owners = [index for index, done in enumerate(endings) for _ in done.siblings]
        put = self._table.put("conclude", [item for done in endings for item in done.siblings])
        for index, error in zip(owners, put, strict=True):
            errors[index] = errors[index] or error
        return errors


def _written(update: Update, beside: tuple[Action, ...], firm: tuple[Action, ...]) -> Write:
    return Together(update, beside, firm) if beside or firm else update


def _outbox(outbounds: Sequence[Outbound]) -> tuple[Action, ...]:
    if not outbounds:
        return ()
    # Few jobs tell anything.
    from tidemill.aws.outbox_items import outbox_item

    return tuple({"Put": {"Item": outbox_item(outbound)}} for outbound in outbounds)


def _claim_answer(claim: Claim, resolved: Resolved) -> Answer:
    match resolved:
        case Done(before=item):
            return _claimed(claim, item)
        case Refused():
            return resolved
        case Doubtful(record=Job() as record) if record.owner == claim.owner:
            return Refused(record)
        case Doubtful(error=error):
            return Unwritten(error)


def _claimed(claim: Claim, item: Item | None) -> Answer:
    try:
        before = job_of(item or {})
    except (IntegrityError, KeyError):
        # The lease is written, and nobody here can read the record: it ends by itself.
        return Unwritten(UnavailableError("claim", "SchemaVersion"))
    after = before.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
    return Written(after, before)
