"""Other arguments for a dead job, checked by its kind before anything is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from tidemill.domain.args import JobArgs
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.payload import checked_in
from tidemill.domain.ports import Payloads
from tidemill.domain.registry import JobRegistry


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of arguments.

    Arguments:
        document: the new arguments, or what is to be merged into the old ones as RFC 7396 says: objects are
            merged member by member, null takes a member out, everything else replaces what was there.
        whole: `document` is all of the new arguments.
    """

    document: Any
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Editor:
    """Makes envelopes with other arguments."""

    registry: JobRegistry
    payloads: Payloads

    def canonical(self, envelope: Envelope, edit: Edit) -> bytes:
        """The argument bytes after the edit, which the kind's model accepts as it would from a submitter.

        Raises:
            UnknownKindError: this program does not know the kind.
            NewerVersionError, UpcastError: the old arguments are to be merged, and are of a version that this program
                does not know yet, or could not be made ones of its own.
            InvalidArgsError, InputError: the edited arguments don't fit; each field is named `args.<path>`.
            PayloadGoneError, IntegrityError, UnavailableError: the old arguments could not be read.
        """
        model = self.registry.resolve(envelope.kind).args_type
        if not isinstance(edit.document, dict):
            raise InputError.at("args", f"must be a JSON object, not {type(edit.document).__name__}", "type")
        old = {} if edit.whole else json.loads(model.upcast(self.args_of(envelope), envelope.version))
        document = edit.document if edit.whole else merged(old, edit.document)
        args: JobArgs = model.from_input(document)
        return args.canonical()

    def edited(self, envelope: Envelope, canonical: bytes) -> Envelope:
        """The envelope with these arguments, which are of this program's version. Large ones are stored first.

        Raises:
            UnknownKindError: this program does not know the kind.
            UnavailableError: they are not stored.
        """
        args, stored = checked_in(canonical)
        if stored is not None:
            self.payloads.put(envelope.ref, stored.name, canonical)
        version = self.registry.resolve(envelope.kind).args_type.contract_version
        return replace(envelope, args=args, fingerprint=fingerprint_of(canonical), stored=stored, version=version)

    def args_of(self, envelope: Envelope) -> bytes:
        """The argument bytes, wherever they are.

        Raises:
            PayloadGoneError, IntegrityError, UnavailableError: see Payloads.get.
        """
        return envelope.args if envelope.stored is None else self.payloads.get(envelope.ref, envelope.stored)


def merged(old: Any, patch: Any) -> Any:
    """`old` after the merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    document = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = merged(document.get(name), value)
    return document
