"""What finished jobs have cost in DynamoDB's write units.

No emulator bills, so this counts the writes themselves: each is of an item under one kilobyte and costs one unit,
and so does one that its condition refuses. What was written is told by the records, what was refused by the
submitter's receipts and the workers' logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tidemill.domain.job import Job
from tidemill.service.submitter import Receipt

# Insert, claim, conclude.
PROMISED: Final = 3
# Where the worker is faster than the submitter's record, insert and claim are one write, and two are refused: the
# claim that found no record, and the record that came too late. That is one more.
_OVERTAKEN: Final = 1
# A claim that found no record, and an insert that found one, because it came in between. A claim that finds a record
# which is queued takes it, so that one refused over such a record has lost its insert.
_INSERT_LOST: Final = 2
_LOST: Final = frozenset({"insert_lost", "job_queued"})


@dataclass(frozen=True)
class Refusal:
    """A claim that a worker logged as refused."""

    cause: str

    @property
    def units(self) -> int:
        """The refused writes that it stands for."""
        return _INSERT_LOST if self.cause in _LOST else 1


@dataclass(frozen=True)
class WriteUnits:
    """The sum, by what it went for.

    Attributes:
        jobs: how many there were.
        written: inserts, claims and conclusions.
        listed: keys written to the list index, one a job where it is on.
        overtaken: jobs whose worker was faster than the submitter's record: one refused write more.
        refused: units of further refused claims: duplicate deliveries and lost races.
    """

    jobs: int
    written: int
    listed: int
    overtaken: int
    refused: int

    @property
    def mean(self) -> float:
        """Units per job."""
        total = self.written + self.listed + self.overtaken * _OVERTAKEN + self.refused
        return total / self.jobs

    @property
    def problem(self) -> str:
        """Whether it is more than 3, 1 for the list index, and 1 where the worker was faster."""
        if not self.jobs or self.written != PROMISED * self.jobs:
            return f"{self.jobs} jobs took {self.written} writes, not {PROMISED} each"
        most = PROMISED + 2
        return "" if self.mean <= most else f"{self.mean:.2f} a job, more than {most}"

    @property
    def story(self) -> str:
        """The mean, what it is made of, and how it was counted."""
        return "\n".join(
            (
                f"   {self.mean:.2f} DynamoDB write units a job, the mean of {self.jobs}:",
                f"     {self.written / self.jobs:.2f}  insert, claim, conclusion",
                f"     {self.listed / self.jobs:.2f}  the list index",
                f"     {self.overtaken * _OVERTAKEN / self.jobs:.2f}  where the worker was faster than the record",
                f"     {self.refused / self.jobs:.2f}  other refused claims",
                "   counted from records (written), receipts and the workers' logs (refused): no emulator bills",
            )
        )


def count_units(
    records: Sequence[Job], receipts: Sequence[Receipt], refusals: Sequence[Refusal], *, list_index: bool
) -> WriteUnits:
    """Count what these jobs have cost."""
    return WriteUnits(
        jobs=len(records),
        written=len(records) + sum(job.fence + job.concluded for job in records),
        listed=len(records) if list_index else 0,
        # The receipt shows the record as the submitter found it: only a worker makes a fence.
        overtaken=sum(receipt.job.fence > 0 for receipt in receipts),
        refused=sum(refusal.units for refusal in refusals),
    )
