"""Conditional writes, alone or 25 in a call, with one outcome for each whatever happens to the call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tidemill.aws.change import Update
from tidemill.aws.errors import FAILED, THROTTLED, AwsError, code_of, is_ambiguous, unavailable
from tidemill.aws.items import Item
from tidemill.aws.patience import each, in_chunks
from tidemill.aws.statements import insert_statement, update_statement
from tidemill.aws.table import JobsTable
from tidemill.aws.updates import insert_arguments, update_arguments
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef


@dataclass(frozen=True, slots=True)
class Insert:
    """A new item, written only if its key is free."""

    item: Item


Write: TypeAlias = Insert | Update


@dataclass(frozen=True, slots=True)
class Done:
    """It was written; `before` is the item as it was, where the change asks for it."""

    before: Item | None


@dataclass(frozen=True, slots=True)
class Unmet:
    """The condition did not hold.

    `item` is what stands there; None if nothing does or, where the key is `taken`, if AWS did not say what.
    """

    item: Item | None
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """It is not known to be written. `ambiguous`: it may be, all the same. `repeat`: try it again now."""

    error: UnavailableError
    ambiguous: bool
    repeat: bool = False


Outcome: TypeAlias = Done | Unmet | Broken

_REPEAT: Final = THROTTLED | FAILED


@dataclass(frozen=True, slots=True)
class ConditionalWriter:
    """Writes to one table, each under its own condition; nothing holds between two of them.

    Arguments:
        batch_from: from how many writes on they go as PartiQL batches. One or two are faster alone.
    """

    table: JobsTable
    batch_from: int = 3

    def write(self, operation: str, writes: Sequence[Write]) -> list[Outcome]:
        """Do each write; the outcomes are in the same order."""
        if len(writes) < self.batch_from:
            return [self._single(operation, write) for write in writes]
        chunks = in_chunks(writes, limits.STATEMENTS_PER_BATCH)
        return [outcome for chunk in each(lambda chunk: self._batch(operation, chunk), chunks) for outcome in chunk]

    def _single(self, operation: str, write: Write) -> Outcome:
        client: Any = self.table.client
        call = client.put_item if isinstance(write, Insert) else client.update_item
        arguments = insert_arguments(write.item) if isinstance(write, Insert) else update_arguments(write)
        try:
            answer = call(TableName=self.table.name, **arguments, **self.table.metering)
        except AwsError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return Unmet(getattr(error, "response", {}).get("Item"))
            return Broken(unavailable(operation, error), is_ambiguous(error))
        self.table.count(answer)
        return Done(answer.get("Attributes"))

    def _batch(self, operation: str, writes: Sequence[Write]) -> list[Outcome]:
        """Up to 25 writes in one call.

        Those that AWS throttled come back under HTTP 200 and are tried again here. A call that failed as a
        whole has been repeated by botocore already.
        """
        statements = [self._statement(write) for write in writes]
        outcomes = self._call(operation, statements)
        for tried in range(1, self.table.patience.tries):
            again = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Broken) and outcome.repeat]
            if not again:
                break
            self.table.patience.wait(tried)
            for index, outcome in zip(again, self._call(operation, [statements[i] for i in again]), strict=True):
                outcomes[index] = _later(outcomes[index], outcome)
        return outcomes

    def _statement(self, write: Write) -> BatchStatementRequestTypeDef:
        if isinstance(write, Insert):
            return insert_statement(self.table.name, write.item)
        return update_statement(self.table.name, write)

    def _call(self, operation: str, statements: list[BatchStatementRequestTypeDef]) -> list[Outcome]:
        try:
            answer = self.table.client.batch_execute_statement(Statements=statements, **self.table.metering)
        except AwsError as error:
            return [Broken(unavailable(operation, error), is_ambiguous(error)) for _ in statements]
        self.table.count(answer)
        return [_outcome(operation, response) for response in answer["Responses"]]


def _outcome(operation: str, response: BatchStatementResponseTypeDef) -> Outcome:
    error = response.get("Error")
    if error is None:
        return Done(response.get("Item"))
    code = error.get("Code", "Unknown")
    if code in ("ConditionalCheckFailed", "DuplicateItem"):
        return Unmet(error.get("Item"), taken=code == "DuplicateItem")
    return Broken(UnavailableError(operation, code), ambiguous=code in FAILED, repeat=code in _REPEAT)


def _later(earlier: Outcome, later: Outcome) -> Outcome:
    """A failure stays ambiguous once one try of it was."""
    if isinstance(earlier, Broken) and isinstance(later, Broken):
        return replace(later, ambiguous=earlier.ambiguous or later.ambiguous)
    return later
