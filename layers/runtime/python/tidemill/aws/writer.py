"""Conditional writes, alone or 25 in a call, with one outcome for each whatever happens to the call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from tidemill.aws.change import Update
from tidemill.aws.errors import FAILED, AwsError, code_of, is_ambiguous, unavailable
from tidemill.aws.items import Item
from tidemill.aws.outcomes import REPEATABLE, Broken, Done, Outcome, Taken, Unmet
from tidemill.aws.patience import each, in_chunks
from tidemill.aws.statements import insert_statement, update_statement
from tidemill.aws.table import JobsTable
from tidemill.aws.transaction import Action, transact
from tidemill.aws.updates import in_transaction, insert_arguments, update_arguments
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef


@dataclass(frozen=True, slots=True)
class Insert:
    """A new item, written only if its key is free."""

    item: Item


Single: TypeAlias = Insert | Update


@dataclass(frozen=True, slots=True)
class Together:
    """A write that is made in one transaction with others; where a condition of those does not hold, without them.

    What is `firm` has no condition, and is made either way.
    """

    first: Single
    others: tuple[Action, ...]
    firm: tuple[Action, ...] = ()


Write: TypeAlias = Single | Together


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
        alone = [write for write in writes if not isinstance(write, Together)]
        others = iter(self._each(operation, alone) if alone else ())
        return [self._together(operation, write) if isinstance(write, Together) else next(others) for write in writes]

    def _each(self, operation: str, writes: Sequence[Single]) -> list[Outcome]:
        if len(writes) < self.batch_from:
            return [self._single(operation, write) for write in writes]
        chunks = in_chunks(writes, limits.STATEMENTS_PER_BATCH)
        return [outcome for chunk in each(lambda chunk: self._batch(operation, chunk), chunks) for outcome in chunk]

    def _together(self, operation: str, write: Together) -> Outcome:
        """One transaction, tried again while others of the same items are under way."""
        first = in_transaction(write.first.item if isinstance(write.first, Insert) else write.first)
        outcome = self._transact(operation, (first, *write.others, *write.firm))
        if not isinstance(outcome, Taken):
            return outcome
        # What was to be new is there: an earlier try that lost its answer wrote it, or an earlier death did.
        again = self._transact(operation, (first, *write.firm)) if write.firm else outcome
        return self._single(operation, write.first) if isinstance(again, Taken) else again

    def _transact(self, operation: str, actions: Sequence[Action]) -> Outcome | Taken:
        outcome = transact(self.table, operation, actions)
        for tried in range(1, self.table.patience.tries):
            if not (isinstance(outcome, Broken) and outcome.repeat):
                break
            self.table.patience.wait(tried)
            outcome = transact(self.table, operation, actions)
        return outcome

    def _single(self, operation: str, write: Single) -> Outcome:
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

    def _batch(self, operation: str, writes: Sequence[Single]) -> list[Outcome]:
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

    def _statement(self, write: Single) -> BatchStatementRequestTypeDef:
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
    return Broken(UnavailableError(operation, code), ambiguous=code in FAILED, repeat=code in REPEATABLE)


def _later(earlier: Outcome, later: Outcome) -> Outcome:
    """A failure stays ambiguous once one try of it was."""
    if isinstance(earlier, Broken) and isinstance(later, Broken):
        return replace(later, ambiguous=earlier.ambiguous or later.ambiguous)
    return later
