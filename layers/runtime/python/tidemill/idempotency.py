"""A store for Powertools' idempotency decorators in which only the run that holds a record may change it.

Powertools' own store updates and deletes without a condition. A run whose time is over, and which another has taken
over from, then deletes the other's record while it runs, or overwrites it::

    store = FencedDynamoDBPersistenceLayer(longest_run=minutes(2))


    @idempotent_function(data_keyword_argument="order", persistence_store=store)
    def send_confirmation(order: str) -> str: ...

The module needs boto3, which `tidemill` itself does without; so it is imported where it is used.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from tidemill.aws.clients import Clients
from tidemill.aws.owned_records import Held, Names, OwnedRecords
from tidemill.domain import limits
from tidemill.domain.declared import check_span
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.errors import DefinitionError, SettingsError, TidemillError
from tidemill.settings import PREFIX, RuntimeSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# As long as a message can bring a job back: in its queue, in its DLQ, and a day of margin.
WINDOW: Final = limits.STATE_HORIZON
# Runs within runs of one thread; more are runs that ended without a word, by a timeout.
_MAX_NESTED: Final = 32


class IdempotencyLostError(TidemillError):
    """The run's record belongs to another run by now, or to nobody: its result was not recorded, nothing was deleted.

    Powertools wraps it in its `IdempotencyPersistenceLayerError`. Let that pass: the next attempt is answered with what
    the other run records.
    """

    code: ClassVar[str] = "idempotency_lost"
    retryable: ClassVar[bool] = True

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the idempotency record {key!r} is no longer this run's: its time was over and another run took it up. "
            "Its result was not recorded. Fix: let the job be tried again, and give the store a longer longest_run"
        )
        self.key = key


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that has begun and not ended: what it was called with, its function's name, and whose records are its."""

    data: object
    function: str
    owner: str


class FencedDynamoDBPersistenceLayer(DynamoDBPersistenceLayer):
    """Powertools' DynamoDB store for idempotency records, with an owner in every record.

    Guarantees, beside those of Powertools: a run whose record was taken over neither deletes nor overwrites it and
    creates none; a record in progress always says until when it is, so that a worker's death blocks a key for
    `longest_run` and 30 s for clocks at the most; an answer that was lost on the way is known for what it was. One
    store serves any number of threads and functions. It costs what Powertools' own does.

    It is no guarantee that an effect happens once: a run that died between the effect and its record is repeated.

    Keys are the function's name and a hash of its data. Unlike Powertools' they do not hold the name of the Lambda
    function, so that a job that moves to another lane meets its own records.

    Arguments:
        table_name: by default the stack's table, which each worker may use; read from the environment at first use.
        longest_run: the longest that one run may take, 1 s to 15 min: the timeout of the job around it. A registered
            Lambda context with less time left counts instead.
        window: how long a result is remembered, unless the `IdempotencyConfig` names another time than Powertools'
            default of one hour. By default 19 days: as long as a message can bring its job back.
        owner_attr: the attribute that holds the owner.
        boto3_client: by default a client that is made at first use.
        options: the names of attributes and keys, as Powertools' own store takes them.

    Raises:
        DefinitionError: a span is out of its range.
    """

    def __init__(
        self,
        table_name: str = "",
        *,
        longest_run: timedelta = limits.MAX_FUNCTION_TIMEOUT,
        window: timedelta = WINDOW,
        owner_attr: str = "owner",
        boto3_client: DynamoDBClient | None = None,
        **options: Any,
    ) -> None:
        _check("longest_run", longest_run, limits.MAX_FUNCTION_TIMEOUT)
        _check("window", window, limits.MAX_RETENTION)
        self._longest_run, self._window = longest_run, window
        self._mine = threading.local()
        self._making = threading.Lock()
        self._config: IdempotencyConfig | None = None
        self._table_name = table_name
        # A module of jobs is imported where there is neither a table nor a region: the client is made when it is used.
        super().__init__(table_name, boto3_client=cast("DynamoDBClient", _Unmade()), **options)
        self._client = boto3_client
        self._owner_attr = owner_attr

    @property
    def client(self) -> DynamoDBClient:
        """The client, made when it is first asked for."""
        with self._making:
            if self._client is None:
                self._client = Clients().dynamodb
            return self._client

    @client.setter
    def client(self, client: DynamoDBClient | None) -> None:
        self._client = client

    @property
    def table_name(self) -> str:
        """The table's name; by default that of the stack.

        Raises:
            SettingsError: no name was given, and this is no worker of a stack.
        """
        if not self._table_name:
            self._table_name = RuntimeSettings.from_env(os.environ).idempotency_table
        if not self._table_name:
            raise SettingsError(f"{PREFIX}IDEMPOTENCY_TABLE", "is empty")
        return self._table_name

    @table_name.setter
    def table_name(self, name: str) -> None:
        self._table_name = name

    @property
    def function_name(self) -> str:
        """The function whose run this thread is in. Powertools keeps one for all threads, and keys get mixed up."""
        return cast("str", getattr(self._mine, "function", ""))

    @function_name.setter
    def function_name(self, name: str) -> None:
        self._mine.function = name

    def configure(
        self, config: IdempotencyConfig, function_name: str | None = None, key_prefix: str | None = None
    ) -> None:
        """Take over the decorator's configuration. Called by Powertools at every call of a decorated function.

        Raises:
            DefinitionError: it differs from the one that another function gave this store. Powertools would go on
                with the first, and read the second function's keys by the wrong expression.
        """
        first = self._config or config
        if first is not config and _said(first) != _said(config):
            raise DefinitionError(
                f"{function_name or key_prefix} shares its idempotency store with a function of another configuration. "
                "Fix: give each IdempotencyConfig a store of its own"
            )
        super().configure(config, function_name, key_prefix or function_name)
        self._config = first
        if first.expires_after_seconds == IdempotencyConfig().expires_after_seconds:
            self.expires_after_seconds = int(self._window.total_seconds())

    def save_inprogress(self, data: Any, remaining_time_in_millis: int | None = None) -> None:
        """Begin a run: hold the record of `data`, until the run's longest time is over."""
        left = milliseconds(self._longest_run)
        if remaining_time_in_millis is not None:
            left = min(left, remaining_time_in_millis)
        runs = self._runs
        runs.append(_Run(data, self.function_name, secrets.token_hex(16)))
        del runs[:-_MAX_NESTED]
        try:
            super().save_inprogress(data, left + milliseconds(limits.CLOCK_SKEW))
        except BaseException:
            runs.pop()
            raise

    def save_success(self, data: Any, result: Any) -> None:
        """End a run: remember its result.

        Raises:
            IdempotencyLostError: the record is no longer this run's.
        """
        self._end(data)
        super().save_success(data, result)

    def delete_record(self, data: Any, exception: Exception) -> None:
        """End a run that raised `exception`: delete its record, unless it is another's by now.

        Powertools would show an error from here in place of `exception`; so it gets a note.
        """
        self._end(data)
        try:
            super().delete_record(data, exception)
        except IdempotencyLostError as lost:
            exception.add_note(f"{lost.code}: {lost}")

    @property
    def _runs(self) -> list[_Run]:
        """The runs that this thread is in, the innermost last."""
        if not hasattr(self._mine, "runs"):
            self._mine.runs = []
        return cast("list[_Run]", self._mine.runs)

    def _end(self, data: object) -> None:
        """Go back to the run that began with `data`; those within it are over."""
        runs = self._runs
        at = next((i for i in reversed(range(len(runs))) if runs[i].data is data), None)
        self._mine.owner = ""
        if at is not None:
            self._mine.owner, self._mine.function = runs[at].owner, runs[at].function
            del runs[at:]

    def _put_record(self, data_record: DataRecord) -> None:
        found = self._records.take(
            Held(self._get_key(data_record.idempotency_key), self._runs[-1].owner),
            until_ms=data_record.in_progress_expiry_timestamp or 0,
            expiry_s=data_record.expiry_timestamp or 0,
            validation=data_record.payload_hash,
            now_ms=time.time_ns() // 1_000_000,
        )
        if found is None:
            return
        if not found:
            raise IdempotencyItemAlreadyExistsError
        old = self._item_to_data_record(dict(found))
        self._validate_payload(data_record, old)
        self._save_to_cache(old)
        raise IdempotencyItemAlreadyExistsError(old_data_record=old)

    def _update_record(self, data_record: DataRecord) -> None:
        data, expiry, validation = data_record.response_data, data_record.expiry_timestamp, data_record.payload_hash
        if not self._records.complete(self._held(data_record), data, expiry or 0, validation):
            raise IdempotencyLostError(data_record.idempotency_key)

    def _delete_record(self, data_record: DataRecord) -> None:
        if not self._records.drop(self._held(data_record)):
            raise IdempotencyLostError(data_record.idempotency_key)

    def _held(self, data_record: DataRecord) -> Held:
        return Held(self._get_key(data_record.idempotency_key), self._mine.owner)

    @property
    def _records(self) -> OwnedRecords:
        names = Names(
            key=self.key_attr,
            expiry=self.expiry_attr,
            until=self.in_progress_expiry_attr,
            status=self.status_attr,
            owner=self._owner_attr,
            data=self.data_attr,
            validation=self.validation_key_attr,
        )
        return OwnedRecords(self.client, self.table_name, names)


class _Unmade:
    """Stands for a client until it is made."""


def _said(config: IdempotencyConfig) -> Mapping[str, object]:
    return {name: value for name, value in vars(config).items() if name != "lambda_context"}


def _check(name: str, span: timedelta, longest: timedelta) -> None:
    where = f"FencedDynamoDBPersistenceLayer.{name}"
    check_span(where, span)
    if not seconds(1) <= span <= longest:
        raise DefinitionError(f"{where} is {span}. Fix: choose 1 s to {longest}")
