"""Read models as operators look after them: rebuilt while they are read, caught up, resumed, compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.chain import Recorded
from tidemill.domain.errors import UnavailableError
from tidemill.domain.line import Editions
from tidemill.domain.ports.events import EventStore
from tidemill.domain.ports.lines import LineStore
from tidemill.domain.projection import Projection
from tidemill.domain.store_errors import ProjectionNotFoundError, RebuildError, StreamBrokenError
from tidemill.domain.stream import StreamRef
from tidemill.service.projecting import Projector, by_stream
from tidemill.service.standing import Lag, Standing, first_halted, halted_lines

_PAGE: Final = 250


@dataclass(frozen=True, slots=True)
class Filled:
    """How far a rebuild has come. `cursor`: where it goes on; None at the end."""

    facts: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Looks after the read models of one stack.

    Guarantees: queries read the live edition until the next one is whole, and that one from then on. While both are
    there the projector writes both, so that nothing that is appended meanwhile is missing in either.
    """

    store: EventStore
    lines: LineStore
    projector: Projector

    def standing(self, name: str) -> Standing:
        """Where a projection is.

        Raises:
            ProjectionNotFoundError: the registry has none of this name.
            UnavailableError: AWS did not answer.
        """
        self._named(name)
        editions = self.lines.editions(name)
        halted = first_halted(self.lines, name, editions.live)
        filling = () if editions.filling is None else first_halted(self.lines, name, editions.filling)
        return Standing(name, editions, self.lines.reached(name), halted, filling)

    def lag(self, name: str) -> Lag:
        """Compare every stream of the projection's category with its line.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
        """
        one = self._named(name)
        edition = self.lines.editions(name).live
        streams = behind = facts = 0
        for refs in self._every_stream(one):
            for ref, line in zip(refs, self.lines.find(name, edition, refs), strict=True):
                missing = self._newest(ref) - (line.head.version if line else 0)
                streams, behind, facts = streams + 1, behind + (missing > 0), facts + max(0, missing)
        return Lag(streams, behind, facts)

    def begin(self, name: str) -> int:
        """Let the next edition be filled, from nothing. From now on the projector writes it too.

        Returns: the edition's number, for `fill`.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
            RebuildError: a rebuild runs already, or somebody else changed the editions just now.
        """
        self._named(name)
        before = self.lines.editions(name)
        if before.filling is not None:
            raise RebuildError(
                name,
                f"is being rebuilt, as edition {before.filling}",
                f"go on with it (`tidemill projection rebuild {name} --go-on`), or give it up "
                f"(`tidemill projection drop {name}`)",
            )
        begun = before.last + 1
        self._change(name, before, replace(before, filling=begun, last=begun, filled=False))
        return begun

    def filling(self, name: str) -> int:
        """The edition that a rebuild fills, for somebody who goes on with it.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
            RebuildError: no rebuild runs.
        """
        return self._rebuilt(name)[1]

    def fill(self, name: str, edition: int, cursor: str | None) -> Filled:
        """Put a page of facts into the edition that is filled; go on from the cursor until it is None.

        With the last page the edition is marked as filled, and may be switched to.

        Arguments:
            edition: as `begin` answered it. A rebuild that was dropped must not go on in the one after it.

        Raises:
            ProjectionNotFoundError: see `standing`.
            RebuildError: no rebuild runs, or one of another edition.
            InputError: the cursor is not one that was answered.
            UnavailableError: AWS did not answer; the same call may be repeated.
        """
        self._rebuilt(name, edition)
        filled = self._page(self._named(name), edition, cursor)
        if filled.cursor is None:
            before, _ = self._rebuilt(name, edition)
            if not before.filled:
                self._change(name, before, replace(before, filled=True))
        return filled

    def catch_up(self, name: str, cursor: str | None) -> Filled:
        """Put what the live edition misses of a page of facts into it, after the table's stream was lost.

        Raises:
            ProjectionNotFoundError, InputError, UnavailableError: see `fill`.
        """
        return self._page(self._named(name), self.lines.editions(name).live, cursor)

    def switch(self, name: str, edition: int | None = None, *, anyway: bool = False) -> Editions:
        """Let queries read the edition that was filled.

        Arguments:
            edition: refuse any other one; of somebody who has filled it.
            anyway: even if streams are halted in it.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
            RebuildError: no rebuild runs, or one of another edition; the new edition is not filled to the end, or
                streams are halted in it; somebody else changed the editions.
        """
        before, filling = self._rebuilt(name, edition)
        if not before.filled:
            raise RebuildError(
                name,
                f"can't be switched: edition {filling} is filled in part only",
                f"fill it to the end (`tidemill projection rebuild {name} --go-on`), or give it up "
                f"(`tidemill projection drop {name}`)",
            )
        if not anyway and (halted := next(halted_lines(self.lines, name, filling), None)):
            reason = halted.halt.reason if halted.halt else ""
            raise RebuildError(
                name,
                f"has halted streams in edition {filling}, among them {halted.ref} ({reason})",
                f"mend the projection and let it go on (`tidemill projection resume {name}`), or switch all the same "
                f"(`tidemill projection switch {name} --anyway`)",
            )
        return self._change(name, before, replace(before, live=filling, filling=None, filled=False))

    def drop(self, name: str) -> Editions:
        """Give the edition that is filled up.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
            RebuildError: no rebuild runs, or somebody else changed the editions.
        """
        before, _ = self._rebuilt(name)
        return self._change(name, before, replace(before, filling=None, filled=False))

    def purge(self, name: str, cursor: str | None) -> str | None:
        """Delete some lines of editions that are over; go on from the cursor until it is None.

        Raises:
            ProjectionNotFoundError, InputError, UnavailableError: see `fill`.
        """
        self._named(name)
        return self.lines.purge(name, self.lines.editions(name), cursor)

    def resume(self, name: str) -> tuple[int, int]:
        """Let the halted streams of every edition try again, from where they were.

        Returns: how many go on, and how many are still halted.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
        """
        one = self._named(name)
        going = staying = 0
        for edition in self.lines.editions(name).every:
            # All of them are known before the first goes on: a stream that does leaves the list.
            every = [line.ref for line in halted_lines(self.lines, name, edition)]
            for start in range(0, len(every), limits.MAX_PAGE):
                refs = every[start : start + limits.MAX_PAGE]
                if self.projector.bring(one, edition, dict.fromkeys(refs, ()), again=True):
                    raise UnavailableError("resume", "Unfinished")
                left = sum(line is not None and line.halt is not None for line in self.lines.find(name, edition, refs))
                going, staying = going + len(refs) - left, staying + left
        return going, staying

    def differing(self, name: str) -> Iterator[StreamRef]:
        """Streams whose lines in the live edition and in the one that is filled are not equal.

        Raises:
            ProjectionNotFoundError, UnavailableError: see `standing`.
            RebuildError: no rebuild runs.
        """
        one = self._named(name)
        editions, filling = self._rebuilt(name)
        for refs in self._every_stream(one):
            both = zip(
                refs,
                self.lines.find(name, editions.live, refs),
                self.lines.find(name, filling, refs),
                strict=True,
            )
            yield from (ref for ref, old, new in both if old != new)

    def _page(self, one: Projection[Any], edition: int, cursor: str | None) -> Filled:
        page = self.store.scan(_PAGE, cursor)
        mine: dict[StreamRef, Sequence[Recorded]] = {
            ref: facts for ref, facts in by_stream(page.recorded).items() if ref.category == one.of.category
        }
        found = sum(map(len, mine.values()))
        for unreadable in page.unreadable:
            self.projector.telemetry.count("FactsUnreadable")
            self.projector.telemetry.alert("fact_unreadable", key=unreadable.place)
            if unreadable.ref is not None and unreadable.ref.category == one.of.category:
                # Read from its store, so that its line is halted where the stream is broken.
                mine[unreadable.ref] = ()
        if self.projector.bring(one, edition, mine):
            raise UnavailableError("fill", "Unfinished")
        return Filled(found, page.cursor)

    def _newest(self, ref: StreamRef) -> int:
        try:
            return self.store.head(ref).version
        except StreamBrokenError as broken:
            return broken.version

    def _every_stream(self, one: Projection[Any]) -> Iterator[tuple[StreamRef, ...]]:
        cursor: str | None = None
        while True:
            page = self.store.streams(one.of.category, limits.MAX_PAGE, cursor)
            if page.refs:
                yield page.refs
            if (cursor := page.cursor) is None:
                return

    def _rebuilt(self, name: str, edition: int | None = None) -> tuple[Editions, int]:
        """The editions of a projection that is being rebuilt, and the one that is filled."""
        self._named(name)
        editions = self.lines.editions(name)
        filling = editions.filling
        if filling is None:
            raise RebuildError(name, "is not being rebuilt", f"begin a rebuild (`tidemill projection rebuild {name}`)")
        if edition not in (None, filling):
            raise RebuildError(
                name,
                f"is being rebuilt as edition {filling}, not {edition}: somebody dropped that one and began anew",
                f"none is needed; `tidemill projection show {name}` says how it stands",
            )
        return editions, filling

    def _change(self, name: str, before: Editions, after: Editions) -> Editions:
        if not self.lines.change_editions(name, before, after):
            raise RebuildError(name, "was changed by somebody else just now", "look at it, and repeat the command")
        return after

    def _named(self, name: str) -> Projection[Any]:
        known = self.projector.projections
        if name not in known:
            raise ProjectionNotFoundError(name, tuple(known))
        return known[name]
