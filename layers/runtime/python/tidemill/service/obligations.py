"""What is owed to others once a job is over, before its message may go.

Whoever meets a job that is over repeats what is owed, because the worker that ended it may have died in between.
So everything here may happen more than once, and must come to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.settle import UNASKED, Settlement


@dataclass(frozen=True, slots=True)
class Met:
    """A job as a message found or left it: its record if there is one, what carried it, and how it is to be settled."""

    job: Job | None
    envelope: Envelope
    settlement: Settlement

    @property
    def over(self) -> Job | None:
        """The record, if this message's own job is over.

        The loser of a key carries other arguments: its caller was refused, and nothing of it ever ran.
        """
        mine = self.job is not None and self.job.fingerprint == self.envelope.fingerprint
        return self.job if mine and self.job is not None and self.job.state.is_final else None


class Obligation(Protocol):
    """One sort of thing that is owed."""

    def fulfil(self, met: Sequence[Met]) -> list[bool]:
        """Do what each of these owes; whether nothing is left of it, in the order given. Never raises for one."""


@dataclass(frozen=True, slots=True)
class Obligations:
    """All that is owed, in the order in which it is done."""

    kinds: tuple[Obligation, ...]

    def settled(self, met: Sequence[Met]) -> list[Settlement]:
        """The settlement of each message after what its job owes was done.

        One whose job still owes something stays: the next receive does it.
        """
        done = [True] * len(met)
        for kind in self.kinds:
            done = [before and now for before, now in zip(done, kind.fulfil(met), strict=True)]
        return [one.settlement if paid else UNASKED for one, paid in zip(met, done, strict=True)]
