"""From the outcome of a write to an answer, where it takes a look at the record: refusals, and lost answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tidemill.aws.errors import AwsError, unavailable
from tidemill.aws.items import Item, job_of, key_of
from tidemill.aws.outcomes import Broken, Done, Outcome, Unmet
from tidemill.aws.table import JobsTable
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.ports import Answer, Refused, Unwritten, Written


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Not known to be written. `record` is what stood there afterwards, if a lost answer made us look."""

    error: UnavailableError
    record: Job | None = None


Resolved: TypeAlias = Done | Refused | Doubtful


def resolve(table: JobsTable, operation: str, refs: Sequence[JobRef], outcomes: Sequence[Outcome]) -> list[Resolved]:
    """Each outcome with the record that explains it. What AWS did not send along is read, all in one call."""
    unseen = [index for index, outcome in enumerate(outcomes) if _must_look(outcome)]
    items: dict[int, Item | None] = {}
    failure: UnavailableError | None = None
    if unseen:
        try:
            read = table.read(operation, [key_of(refs[index]) for index in unseen])
            items = dict(zip(unseen, read, strict=True))
        except UnavailableError as error:
            failure = error
        except AwsError as error:
            # The role may write but not read: what was written stays written, and only these stay in doubt.
            failure = unavailable(operation, error)
    return [_resolved(operation, outcome, items.get(index), failure) for index, outcome in enumerate(outcomes)]


def answer_of(resolved: Resolved, written: Written, shows: Callable[[Job], bool]) -> Answer:
    """The port's answer.

    `shows` tells whether a record is what this write made: botocore repeated a call whose answer was lost, and
    the repetition met its own work.
    """
    match resolved:
        case Done():
            return written
        case Refused(job=Job() as record) | Doubtful(record=Job() as record) if shows(record):
            return written
        case Refused():
            return resolved
        case Doubtful(error=error):
            return Unwritten(error)


def _must_look(outcome: Outcome) -> bool:
    match outcome:
        case Broken(ambiguous=ambiguous):
            return ambiguous
        case Unmet(item=item, taken=taken):
            return taken and item is None
        case Done():
            return False


def _resolved(operation: str, outcome: Outcome, read: Item | None, failure: UnavailableError | None) -> Resolved:
    try:
        match outcome:
            case Done():
                return outcome
            case Broken(error=error):
                return Doubtful(error, job_of(read) if read else None)
            case Unmet(item=None, taken=True) if failure is not None:
                return Doubtful(failure)
            case Unmet(item=item):
                standing = item or read
                return Refused(job_of(standing) if standing else None)
    except IntegrityError:
        return Doubtful(UnavailableError(operation, "SchemaVersion"))
