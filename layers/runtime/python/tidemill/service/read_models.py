"""Read models as programs query them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from tidemill.domain import limits
from tidemill.domain.chain import Head
from tidemill.domain.errors import InputError
from tidemill.domain.line import Line
from tidemill.domain.names import DEFAULT_TENANT, check_key, check_tenant
from tidemill.domain.ports.lines import LineStore
from tidemill.domain.projection import Projection
from tidemill.domain.stream import StreamRef

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Shown(Generic[M]):
    """What a read model shows of one stream.

    Attributes:
        shown: the model; None while the projection says that there is nothing to show.
        head: of the last fact that is in it: also a witness for `Streams.verify`.
        at: when that fact happened, Unix milliseconds. `halted`: why it goes no further, if it does not.
    """

    ref: StreamRef
    shown: M | None
    head: Head
    at: int
    halted: str | None = None

    @property
    def version(self) -> int:
        """How many facts of the stream are in it."""
        return self.head.version


@dataclass(frozen=True, slots=True)
class ReadModels:
    """The read models of one stack. They follow the streams with a delay, mostly below a second or two."""

    lines: LineStore

    def get(self, projection: Projection[M], key: str, *, tenant: str = DEFAULT_TENANT) -> Shown[M] | None:
        """What is shown of one stream; None before its first fact has arrived. It is read consistently.

        Raises:
            InputError: the key or the tenant is ill-formed.
            UnavailableError: AWS did not answer.
        """
        ref = projection.of.at(key, tenant)
        edition = self.lines.editions(projection.name).live
        (line,) = self.lines.find(projection.name, edition, [ref])
        return None if line is None else _shown(projection, line)

    def group(
        self,
        projection: Projection[M],
        group: str,
        *,
        tenant: str = DEFAULT_TENANT,
        descending: bool = False,
        limit: int = limits.MAX_PAGE,
        cursor: str | None = None,
    ) -> tuple[tuple[Shown[M], ...], str | None]:
        """The lines of a group in their order, and the cursor of the next ones.

        A page that was begun before a rebuild's switch goes on in the new edition only from its start.

        Raises:
            InputError: the projection has no groups; the name is ill-formed; the limit is not 1 to 100; the cursor is
                not one that was answered for this group and edition.
            UnavailableError: AWS did not answer.
        """
        if projection.group is None:
            problem = f"{projection.name} lists no groups. Fix: @projection(..., group=...), then rebuild it"
            raise InputError.at("group", problem, "no_groups")
        check_key(group, "group")
        check_tenant(tenant)
        if not 1 <= limit <= limits.MAX_PAGE:
            raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
        edition = self.lines.editions(projection.name).live
        page = self.lines.listed(projection.name, edition, tenant, group, limit, cursor, descending=descending)
        return tuple(_shown(projection, line) for line in page.lines), page.cursor


def _shown(projection: Projection[M], line: Line) -> Shown[M]:
    return Shown(line.ref, projection.read(line), line.head, line.at, line.halt.reason if line.halt else None)
