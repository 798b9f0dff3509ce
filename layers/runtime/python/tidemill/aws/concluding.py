"""What one conclusion writes: the record after it, and the items that must be there before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tidemill.aws.items import UNIT_BYTES, Item
from tidemill.aws.siblings import args_item, error_item, result_item
from tidemill.domain.conclusion import concluded, verb_of
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import Verb
from tidemill.domain.notice import Notice
from tidemill.domain.outcome import Bury, Complete, Park, RetryLater
from tidemill.domain.payload import Stored
from tidemill.domain.ports import AttemptFailure, Conclusion

if TYPE_CHECKING:
    from tidemill.domain.outbox import Outbound

# What the item of a succeeded job holds beside those texts: names, separators, and numbers as long as they get.
_BESIDE_TEXTS: Final = 312


@dataclass(frozen=True, slots=True)
class Ending:
    """One conclusion, ready to be written: siblings first, then `before` becomes `after`."""

    verb: Verb
    before: Job
    after: Job
    siblings: tuple[Item, ...]
    notices: tuple[Notice, ...] = ()
    outbounds: tuple[Outbound, ...] = ()

    def is_shown_by(self, record: Job) -> bool:
        """Whether `record` is what this conclusion made."""
        # No other claim has its fence, and a claim is concluded once.
        mine = self.after
        return (record.fence, record.state, record.concluded) == (mine.fence, mine.state, mine.concluded)


def ending(conclusion: Conclusion) -> Ending:
    """What `conclusion` writes."""
    before, verdict, envelope = conclusion.job, conclusion.verdict, conclusion.envelope
    after = concluded(before, verdict, conclusion.now_ms)
    siblings: list[Item] = []
    if isinstance(verdict, RetryLater | Park | Bury) and verdict.failure is not None:
        evidence = AttemptFailure(
            before.generation, before.attempt, conclusion.now_ms, verdict.failure, conclusion.code
        )
        # No longer-lived record without the evidence of what led to it.
        until = 0 if isinstance(verdict, Bury) else verdict.evidence_until // 1000 + 1
        siblings.append(error_item(before.ref, evidence, max(after.ttl_s, until)))
    if after.owns_args and envelope is not None:
        siblings.append(args_item(envelope, after.ttl_s))
    elif after.owns_args:
        after = replace(after, owns_args=False)
    if isinstance(verdict, Complete) and isinstance(verdict.result, Stored):
        siblings.append(result_item(after, verdict.result))
    elif after.result is not None and not _fits(after):
        siblings.append(result_item(after, after.result))
        after = replace(after, result=None, has_result_item=True)
    return Ending(verb_of(verdict), before, after, tuple(siblings), conclusion.notices, conclusion.outbounds)


def _fits(job: Job) -> bool:
    """Whether the record of a succeeded job, its result included, stays within one write unit.

    Counted from its texts, as if every optional attribute were there: measuring the item itself would cost more
    CPU than writing it.
    """
    held = job.held.send_id if job.held else ""
    once = (job.ref.id, job.lane, job.fingerprint, job.key, job.owner, held, job.reason, job.error, job.correlation_id)
    # Tenant and kind stand in the list index's key once more.
    texts = (job.ref.tenant, job.ref.tenant, job.kind, job.kind, *once, job.result)
    told = len("hook" + job.webhook) if job.webhook else 0
    return _BESIDE_TEXTS + told + sum(len(text.encode()) for text in texts if text) <= UNIT_BYTES
