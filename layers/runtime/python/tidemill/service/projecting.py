"""From facts to lines: what the projector does with what the table's stream hands it, and with whole streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any, Final

from tidemill.domain.chain import Recorded
from tidemill.domain.errors import UnavailableError
from tidemill.domain.line import Halt, Line
from tidemill.domain.ports import Telemetry
from tidemill.domain.ports.events import EventStore
from tidemill.domain.ports.lines import LineStore
from tidemill.domain.projection import Projection
from tidemill.domain.store_errors import StreamBrokenError
from tidemill.domain.stream import StreamRef
from tidemill.service.stream_reading import pages

# Another projector wrote the line meanwhile; what it wrote is read, and at most so often.
_TRIES: Final = 5
_PAGE: Final = 250
# A line that misses a long stream is written now and then, so that a function that runs out of time has come further.
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Projector:
    """Brings the lines of read models on.

    Guarantees: every fact of a stream is applied to a line once and in order, however often, in whatever order and
    with whatever gaps facts are handed in, because a line knows the last fact in it and is written only where nobody
    else has written it since. What is missing is read from the store. A stream that a projection does not get over is
    halted with the reason, and all others go on.
    """

    store: EventStore
    lines: LineStore
    projections: Mapping[str, Projection[Any]]
    telemetry: Telemetry

    def take(self, recorded: Sequence[Recorded]) -> frozenset[StreamRef]:
        """Apply facts to every edition of every projection of theirs.

        Returns: the streams that AWS did not let it finish; their facts have to be handed in again.
        """
        failed: set[StreamRef] = set()
        streams = by_stream(recorded)
        for one in self.projections.values():
            mine = {ref: facts for ref, facts in streams.items() if ref.category == one.of.category}
            if not mine:
                continue
            try:
                # Read for each batch: whoever begins a rebuild is known to every batch that begins later.
                editions = self.lines.editions(one.name)
            except UnavailableError:
                failed |= mine.keys()
                continue
            late = {ref for edition in editions.every for ref in self.bring(one, edition, mine)}
            failed |= late
            self._reach(one, [facts[-1].fact.at for ref, facts in mine.items() if ref not in late])
        return frozenset(failed)

    def bring(
        self,
        projection: Projection[Any],
        edition: int,
        streams: Mapping[StreamRef, Sequence[Recorded]],
        *,
        again: bool = False,
    ) -> frozenset[StreamRef]:
        """Apply facts to the lines of one edition.

        Arguments:
            streams: facts of each stream, in order; none to bring a stream on as far as the store has it.
            again: whether halted lines try again.

        Returns: the streams that AWS did not let it finish.
        """
        failed: set[StreamRef] = set()
        try:
            found = self.lines.find(projection.name, edition, list(streams))
        except UnavailableError:
            return frozenset(streams)
        for (ref, facts), line in zip(streams.items(), found, strict=True):
            try:
                self._bring_one(projection, edition, ref, facts, line, again=again)
            except UnavailableError as error:
                self.telemetry.alert("projection_waits", projection=projection.name, stream=str(ref), error=error.cause)
                failed.add(ref)
        return frozenset(failed)

    def _bring_one(
        self,
        projection: Projection[Any],
        edition: int,
        ref: StreamRef,
        facts: Sequence[Recorded],
        line: Line | None,
        *,
        again: bool,
    ) -> None:
        for _ in range(_TRIES):
            before = line or Line(ref)
            if before.halt is not None and not again:
                self.telemetry.count("FactsHeldBack", len(facts))
                return
            following = iter(self._following(before, facts))
            while True:
                after = _further(projection, before, following)
                if after == before:
                    return
                if not self.lines.write(projection.name, edition, line, after):
                    break
                self._tell(projection, edition, before, after)
                if after.halt is not None:
                    return
                line = before = after
            (line,) = self.lines.find(projection.name, edition, [ref])
        raise UnavailableError("projection", "Contended")

    def _following(self, line: Line, facts: Sequence[Recorded]) -> Iterable[Recorded]:
        """The facts behind a line, from the store where those at hand leave a gap."""
        fresh = [one for one in facts if one.version > line.head.version]
        if facts and not fresh:
            return ()
        wanted = range(line.head.version + 1, line.head.version + 1 + len(fresh))
        if fresh and [one.version for one in fresh] == list(wanted):
            return fresh
        return (one for page in pages(self.store, line.ref, line.head.version, _PAGE) for one in page)

    def _reach(self, projection: Projection[Any], times: Sequence[int]) -> None:
        try:
            if times:
                self.lines.reach(projection.name, max(times))
        except UnavailableError:
            # It only tells people where the read model is; the next batch notes more.
            return

    def _tell(self, projection: Projection[Any], edition: int, before: Line, after: Line) -> None:
        if (applied := after.head.version - before.head.version) > 0:
            self.telemetry.count("FactsProjected", applied)
        if after.halt is not None and after.halt != before.halt:
            self.telemetry.count("StreamsHalted")
            self.telemetry.alert(
                "stream_halted",
                projection=projection.name,
                edition=edition,
                stream=str(after.ref),
                version=after.halt.version,
                # The text of an error may quote the fact, which a log never sees; the line has it.
                error=after.halt.reason.partition(":")[0],
            )


def _further(projection: Projection[Any], line: Line, following: Iterator[Recorded]) -> Line:
    """The line after some of the facts that follow; halted where what comes then can't be read."""
    some: list[Recorded] = []
    broken: Halt | None = None
    try:
        some.extend(islice(following, _AT_ONCE))
    except StreamBrokenError as error:
        broken = Halt(error.version, f"the stream is broken: the fact is {error.reason}")
    after = projection.advance(line, some)
    return after if broken is None or (some and after.halt is not None) else replace(after, halt=broken)


def by_stream(recorded: Iterable[Recorded]) -> dict[StreamRef, list[Recorded]]:
    """Facts by their streams, each once and in order."""
    found: dict[StreamRef, dict[int, Recorded]] = {}
    for (tenant, subject), group in groupby(recorded, key=lambda one: (one.fact.tenant, one.fact.subject or "")):
        ref = StreamRef.of(tenant, subject)
        found.setdefault(ref, {}).update((one.version, one) for one in group)
    return {ref: [facts[version] for version in sorted(facts)] for ref, facts in found.items()}
