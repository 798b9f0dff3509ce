"""The hash chain of a stream: every fact's hash covers all of the fact and the hash of the one before it.

So a fact that was altered, taken out, put in or moved does not fit, and neither does any after it that was
not written anew. What the chain alone can't tell is a stream that lost its newest facts, or whose rest was
written anew from some fact on: for that somebody must have kept a `Head`, as snapshots and read models do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tidemill.domain.fact import Fact
from tidemill.domain.strict_json import dump_canonical

_PURPOSE: Final = b"tidemill stream 1\n"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream ends: the version of its newest fact, which is how many it has, and that fact's hash.

    Whoever keeps one can tell later whether the stream still holds what it held then.
    """

    version: int
    hash: str

    def __str__(self) -> str:
        return f"{self.version}:{self.hash}"


# The head of a stream without facts.
EMPTY: Final = Head(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as its stream holds it, with its hash: SHA-256, in hex."""

    fact: Fact
    hash: str

    @property
    def version(self) -> int:
        """Its number in the stream, from 1."""
        return self.fact.sequence or 0

    @property
    def head(self) -> Head:
        """The head of the stream when this was its newest fact."""
        return Head(self.version, self.hash)


def link(previous: str, fact: Fact) -> str:
    """The hash of a fact that follows the one of hash `previous`.

    All that the fact says is in it. Its data are its last bytes, behind a line of canonical JSON, so that no two facts
    have one text.
    """
    told = [
        fact.id,
        fact.type,
        fact.version,
        fact.tenant,
        fact.at,
        fact.correlation_id,
        fact.causation_id,
        fact.subject,
        fact.sequence,
        fact.traceparent,
        fact.hops,
    ]
    text = b"%s%s\n%s\n%s" % (_PURPOSE, previous.encode(), dump_canonical(told, "fact"), fact.data)
    return hashlib.sha256(text).hexdigest()


def chained(head: Head, facts: Sequence[Fact]) -> tuple[Recorded, ...]:
    """Facts that follow `head` and each other, with their hashes."""
    found: list[Recorded] = []
    previous = head.hash
    for fact in facts:
        previous = link(previous, fact)
        found.append(Recorded(fact, previous))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Break:
    """The first fact of a stream that does not fit.

    Attributes:
        version: of that fact, or of the one that should be there.
        reason: `missing`, `altered`, `unreadable` (what stands there is no fact at all), or `rewritten`: it fits the
            one before it, and is not what a witness saw there.
    """

    version: int
    reason: str


def first_break(head: Head, recorded: Iterable[Recorded]) -> Break | None:
    """The first of these facts that does not follow the one before it; `head` is what they begin after."""
    for one in recorded:
        if one.version != head.version + 1:
            return Break(head.version + 1, "missing")
        if link(head.hash, one.fact) != one.hash:
            return Break(one.version, "altered")
        head = one.head
    return None
