"""Streams as programs use them: load, decide, append; replay, follow, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from tidemill.domain import stream_limits
from tidemill.domain.causes import NO_CAUSES, Causes
from tidemill.domain.chain import EMPTY, Head, Recorded, chained
from tidemill.domain.errors import UnavailableError
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact, data_of
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.names import DEFAULT_TENANT, check_key
from tidemill.domain.ports import Clock
from tidemill.domain.ports.events import Beside, Snapshot
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError
from tidemill.domain.stream import Stream, StreamRef, check_events
from tidemill.service.stream_reader import StreamReader
from tidemill.service.stream_reading import checked_pages

S = TypeVar("S", bound=BaseModel)
# A page of facts of the largest size that most have is a quarter of the megabyte that one read answers.
_PAGE: Final = 250


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """A stream as it was when it was loaded.

    Attributes:
        state: what its facts add up to. `head`: where it ended.
        snapshot: the version of the snapshot that the load began with; 0 for none.
    """

    stream: Stream[S]
    ref: StreamRef
    state: S
    head: Head = EMPTY
    snapshot: int = 0

    @property
    def version(self) -> int:
        """How many facts the stream has."""
        return self.head.version


@dataclass(frozen=True, slots=True)
class Pending(Generic[S]):
    """Facts that are ready to be written after what was loaded. Committing it again writes nothing new.

    `dataclasses.replace(pending, beside=...)` adds what needs to know the facts, such as rows that publish them.
    """

    after: Loaded[S]
    recorded: tuple[Recorded, ...]
    once: str | None = None
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class Streams(StreamReader):
    """The event store of one stack.

    Guarantees: the facts of a stream have the versions 1, 2, 3 and so on without a gap, in the order in which they
    were appended, and of two appends to one version one is refused; nothing is ever changed or deleted; what is loaded
    fits its hash chain.
    """

    clock: Clock
    random: Random

    def load(
        self, stream: Stream[S], key: str, *, tenant: str = DEFAULT_TENANT, expected: int | None = None
    ) -> Loaded[S]:
        """The stream's state, from its newest snapshot on.

        Arguments:
            expected: refuse the stream if it has another version; of somebody who has seen it before.

        Raises:
            AppendConflictError: it has another version than `expected`.
            StreamBrokenError: the facts that were read do not fit the chain.
            UnknownEventError, InvalidArgsError: a fact is none of the stream's events any more.
            UnavailableError: AWS did not answer.
        """
        ref = stream.at(key, tenant)
        loaded = self._from_snapshot(stream, ref)
        for page in checked_pages(ref, loaded.head, self._pages(ref, max(0, loaded.version - 1))):
            state = stream.fold(loaded.state, (one.fact for one in page))
            loaded = replace(loaded, state=state, head=page[-1].head)
        if expected is not None and expected != loaded.version:
            raise AppendConflictError(str(ref), expected, loaded.version)
        return loaded

    def prepare(
        self,
        loaded: Loaded[S],
        *events: Event,
        once: str | None = None,
        causes: Causes = NO_CAUSES,
        beside: Sequence[Beside] = (),
    ) -> Pending[S]:
        """Make facts of events, to be written after what was loaded. Nothing is written yet.

        Arguments: see `append`.

        Raises:
            UnknownEventError, InvalidArgsError, InputError: see `append`.
        """
        now = self.clock.now_ms()
        facts: list[Fact] = []
        for number, event in enumerate(events, loaded.version + 1):
            made = time_ordered_id(now, self.random.getrandbits(74))
            facts.append(
                Fact(
                    id=made,
                    type=loaded.stream.check(event).event_type,
                    data=data_of(event),
                    tenant=loaded.ref.tenant,
                    at=now,
                    correlation_id=causes.correlation_id or made,
                    version=event.contract_version,
                    causation_id=causes.causation_id,
                    subject=loaded.ref.subject,
                    sequence=number,
                    traceparent=causes.traceparent,
                    hops=causes.hops,
                )
            )
        check_events([len(fact.data) for fact in facts], len(beside) + (once is not None))
        if once is not None:
            check_key(once, "once")
        return Pending(loaded, chained(loaded.head, facts), once, tuple(beside))

    def commit(self, pending: Pending[S]) -> Loaded[S]:
        """Write what was prepared, all or none. It may be repeated: what is written already is not written again.

        Raises:
            AppendConflictError, AppendedBeforeError, InputError, UnavailableError: see `append`.
        """
        before = pending.after
        state = before.stream.fold(before.state, (one.fact for one in pending.recorded))
        after = replace(before, state=state, head=pending.recorded[-1].head)
        due = _is_due(after)
        # Before anything is written, because a state too large for its snapshot is refused.
        snapshot = Snapshot(after.head, after.stream.schema, after.stream.write(state)) if due else None
        self.store.append(pending.recorded, pending.once, pending.beside)
        return after if snapshot is None else self._kept(after, snapshot)

    def append(
        self,
        loaded: Loaded[S],
        *events: Event,
        once: str | None = None,
        causes: Causes = NO_CAUSES,
        beside: Sequence[Beside] = (),
    ) -> Loaded[S]:
        """Write events as the next facts of the stream, all or none, if nobody appended since it was loaded.

        A single event of up to about 500 bytes costs one write unit; several, a key, or something beside them make it
        a transaction, in which each item costs two.

        Arguments:
            once: a key under which the stream takes events a single time, of at most 96 characters: of a request, a
                job, a payment. It costs a small item of its own, which stays.
            causes: carried by the facts.
            beside: actions of DynamoDB's TransactWriteItems, each with its table, for the same transaction.

        Returns: the stream as it is then.

        Raises:
            UnknownEventError: an event is not one of the stream's.
            InvalidArgsError: an event is larger than 128 KiB (131,072 bytes).
            InputError: there are none, more than 40, or more than 1 MiB of them; they are over 100 with what is beside
                them; `once` is ill-formed; the state is too large for its snapshot.
            AppendConflictError: somebody appended since; or what is `beside` was refused (`actual` is `expected`).
            AppendedBeforeError: `once` was used before.
            UnavailableError: it is not known whether they are written. Appending once more writes them a second time,
                unless `once` is given; `prepare` and `commit` let the same write be repeated.
        """
        return self.commit(self.prepare(loaded, *events, once=once, causes=causes, beside=beside))

    def change(
        self,
        stream: Stream[S],
        key: str,
        decide: Callable[[S], Iterable[Event]],
        *,
        tenant: str = DEFAULT_TENANT,
        once: str | None = None,
        causes: Causes = NO_CAUSES,
    ) -> Loaded[S]:
        """Load a stream, decide by its state what happens, and append that; decide anew if somebody was faster.

        Arguments:
            decide: from the state to the events, none for nothing. It may be called several times, and may raise.
            once: see `append`. If it was used before, nothing is decided and the stream is answered as it is.

        Raises:
            AppendConflictError: eight decisions in a row came too late.
            StreamBrokenError, UnknownEventError, InvalidArgsError, InputError, UnavailableError: see `load`, `append`.
        """
        for tried in range(1, stream_limits.MAX_DECISIONS + 1):
            loaded = self.load(stream, key, tenant=tenant)
            if once is not None and loaded.version and self.store.appended(loaded.ref, check_key(once, "once")):
                return loaded
            events = tuple(decide(loaded.state))
            if not events:
                return loaded
            try:
                return self.append(loaded, *events, once=once, causes=causes)
            except AppendedBeforeError:
                return self.load(stream, key, tenant=tenant)
            except AppendConflictError:
                if tried == stream_limits.MAX_DECISIONS:
                    raise
        raise AssertionError  # the loop returns or raises

    def _from_snapshot(self, stream: Stream[S], ref: StreamRef) -> Loaded[S]:
        fresh: Loaded[S] = Loaded(stream, ref, stream.start)
        if not stream.snapshot_every:
            return fresh
        snapshot = self.store.snapshot(ref, stream.schema)
        state = None if snapshot is None else stream.read(snapshot.state)
        if snapshot is None or state is None:
            return fresh
        return Loaded(stream, ref, state, snapshot.head, snapshot.head.version)

    def _kept(self, after: Loaded[S], snapshot: Snapshot) -> Loaded[S]:
        try:
            self.store.keep_snapshot(after.ref, snapshot)
        except UnavailableError:
            # The facts are written. The next append of this caller, or of one who loads more facts, keeps one.
            return after
        return replace(after, snapshot=after.version)


def _is_due(after: Loaded[S]) -> bool:
    every = after.stream.snapshot_every
    return bool(every) and after.version - after.snapshot >= every
