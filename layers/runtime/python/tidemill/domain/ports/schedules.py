"""Schedules that are made at run time, as the service layer writes and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    # Workers import the ports, and do without the crons behind these.
    from tidemill.domain.schedule_row import ScheduleRef, ScheduleRow, ScheduleVersion


@dataclass(frozen=True, slots=True)
class Kept:
    """It is written; `row` is the schedule now."""

    row: ScheduleRow


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing is written: the row is another one than the writer knew. `row` is as it stands, None if there is none."""

    row: ScheduleRow | None


ScheduleAnswer: TypeAlias = Kept | Stale


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """Some schedules, and the cursor of the next ones (None: there are no more)."""

    rows: tuple[ScheduleRow, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions of one schedule, newest first, and the cursor of the next ones (None: there are no more)."""

    versions: tuple[ScheduleVersion, ...]
    cursor: str | None = None


class ScheduleStore(Protocol):
    """Rows and versions of schedules. Every read but `due` is consistent; each method raises UnavailableError.

    A row is written under the condition that it is still the one that its writer knew, by version and revision.
    """

    def find(self, refs: Sequence[ScheduleRef]) -> list[ScheduleRow | None]:
        """The rows, None where there is none. A deleted one is there for as long as its versions are."""

    def record(
        self, before: ScheduleRow | None, after: ScheduleRow, version: ScheduleVersion, most: int
    ) -> ScheduleAnswer:
        """Write a row together with the version that it is in now: both or neither.

        `Stale` where the version is there already. Earlier versions are kept for 400 days from now on, and so are a
        deleted row and its last version.

        Arguments:
            before: the row that is replaced; None for the first one of its name.
            most: how many schedules the tenant may have.

        Raises:
            TooManySchedulesError: the tenant has `most` already, and this would be one more.
        """

    def move(self, before: ScheduleRow, after: ScheduleRow) -> ScheduleAnswer:
        """Write the row of the same version."""

    def due(self, until_ms: int, limit: int, cursor: str | None) -> SchedulePage:
        """Schedules of all tenants that have something to be done until then, earliest first in each shard."""

    def listed(self, tenant: str, limit: int, cursor: str | None) -> SchedulePage:
        """A tenant's schedules by name, without deleted ones. A page may hold fewer than asked for.

        Raises:
            InputError: the cursor is not one of ours.
        """

    def version(self, ref: ScheduleRef, number: int) -> ScheduleVersion | None:
        """One version; None if there is none, or it is over 400 days ago."""

    def versions_of(self, rows: Sequence[ScheduleRow]) -> list[ScheduleVersion | None]:
        """The version that each row is in."""

    def history(self, ref: ScheduleRef, limit: int, cursor: str | None) -> VersionPage:
        """All versions, newest first, those of deleted schedules of the name included.

        Raises:
            InputError: the cursor is not one of ours.
        """
