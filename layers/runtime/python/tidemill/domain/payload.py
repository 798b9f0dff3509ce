"""The claim check: bytes too large for a message or an item, kept elsewhere under their hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.errors import InputError, IntegrityError

# What a job's stored bytes can be called. Nothing else is ever read or written under the job's name.
_NAME: Final = re.compile(r"args/[0-9a-f]{32}|step/[0-9]{1,16}/[0-9]{1,16}|result/[0-9]{1,16}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """A receipt for stored bytes.

    Attributes:
        name: what they are among the job's own: `args/<fingerprint>`, `step/<fence>/<number>`, `result/<fence>`.
        sha256: of the bytes, in hex. `size`: how many.
    """

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, name: str, data: bytes) -> Stored:
        """The receipt that `data` would get under `name`."""
        return cls(name, hashlib.sha256(data).hexdigest(), len(data))

    def check(self, data: bytes) -> bytes:
        """Return `data` if it is what was stored.

        Raises:
            IntegrityError: it is not.
        """
        if Stored.of(self.name, data) != self:
            raise IntegrityError(
                f"the stored bytes of {self.name} are not the {self.size} that were written. "
                "Fix: submit the job again; find out who else writes to the payload bucket"
            )
        return data


def checked_in(canonical: bytes) -> tuple[bytes, Stored | None]:
    """What of these argument bytes travels in the message, and the receipt for them if that is nothing.

    The name is their fingerprint, so that equal arguments are one object and other ones never take its place.
    """
    if len(canonical) <= limits.MAX_ARGS_BYTES:
        return canonical, None
    return b"", Stored.of(f"args/{fingerprint_of(canonical)}", canonical)


def result_name(fence: int) -> str:
    """What a result is called. A zombie of the same generation has another fence, and can't replace it."""
    return f"result/{fence}"


def check_name(name: str) -> str:
    """Return `name` if stored bytes can be called so.

    Raises:
        IntegrityError: they can't; whoever wrote the receipt was no program of ours.
    """
    if not _NAME.fullmatch(name):
        raise IntegrityError(
            f"the receipt for stored bytes names {name!r:.100}, which nothing is called. Fix: submit the job again; "
            "find out who else writes to the queue or the table"
        )
    return name


def has_own_life(name: str) -> bool:
    """Whether these bytes are needed for a time that was known when they were written: nothing lengthens it."""
    return name.startswith("result/")


def args_receipt(receipt: Any, fingerprint: str) -> Stored:
    """The receipt in a message, for arguments of this fingerprint.

    Raises:
        InputError: it is for anything else: other arguments, a result, another job's bytes.
    """
    if not isinstance(receipt, dict) or set(receipt) != {"name", "sha256", "size"}:
        raise InputError.at("stored", "must be a receipt: name, sha256 and size", "type")
    name, sha256, size = receipt["name"], receipt["sha256"], receipt["size"]
    if name != f"args/{fingerprint}":
        raise InputError.at("stored.name", "is not that of the arguments that the fingerprint names", "format")
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256) and sha256.startswith(fingerprint)):
        raise InputError.at("stored.sha256", "is not the hash that the fingerprint begins", "format")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= limits.MAX_PAYLOAD_BYTES:
        raise InputError.at("stored.size", f"must be 1 to {limits.MAX_PAYLOAD_BYTES} bytes", "range")
    return Stored(name, sha256, size)
