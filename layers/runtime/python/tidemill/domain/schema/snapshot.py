"""A schema as it was deployed: what its file says, and what it says after a change that breaks nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tidemill.domain.errors import InputError, TidemillError
from tidemill.domain.names import check_event_type, check_kind, check_version
from tidemill.domain.schema.change import GONE, Change, Schema
from tidemill.domain.schema.comparing import compare

_FILE: Final = re.compile(r"(?P<name>.+)\.v(?P<version>[1-9][0-9]{0,3})\.json")


class Part(StrEnum):
    """What of a program has a schema; the value begins the paths of its fields."""

    ARGS = "args"
    EVENT = "data"


class SnapshotError(TidemillError):
    """The file of a snapshot can't be used."""

    code = "snapshot"

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(
            f"schema snapshot {file} {problem}. Fix: take it from git again, or delete it if that version never ran"
        )
        self.file = file


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one version of one contract took when its snapshot was written.

    Attributes:
        name: the kind or the event's type.
        earlier: what the same version took before a field of it was taken out. The field's name may be given away
            again only for what those wrote of it.
    """

    part: Part
    name: str
    version: int
    schema: Schema
    earlier: tuple[Schema, ...] = ()

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}.v{self.version}.json"

    def changes(self, schema: Schema) -> list[Change]:
        """How `schema` differs from all that this version took: each difference once."""
        found = dict.fromkeys(compare(self.schema, schema, self.part))
        for one in self.earlier:
            found.update(dict.fromkeys(change for change in compare(one, schema, self.part) if change.breaking))
        return list(found)

    def renewed(self, schema: Schema) -> Snapshot:
        """The snapshot after a change to `schema` that breaks nothing."""
        gone = any(change.what == GONE for change in compare(self.schema, schema, self.part))
        earlier = (*self.earlier, self.schema) if gone else self.earlier
        return Snapshot(self.part, self.name, self.version, schema, earlier)

    def text(self) -> str:
        """What its file holds: equal for equal snapshots, on every machine."""
        document: dict[str, Any] = {_WORD[self.part]: self.name, "version": self.version, "schema": self.schema}
        if self.earlier:
            document["earlier"] = list(self.earlier)
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_snapshot(part: Part, file: str, text: str) -> Snapshot:
    """The snapshot in a file of this name.

    Raises:
        SnapshotError: it is none, or another one than its name says.
    """
    match = _FILE.fullmatch(file)
    if match is None:
        raise SnapshotError(file, "is not called as one: <kind>.v<version>.json")
    try:
        document = json.loads(text)
        check = check_kind if part is Part.ARGS else check_event_type
        name, version = check(document[_WORD[part]]), check_version(document["version"])
        schema, earlier = document["schema"], list(document.get("earlier", []))
    except (ValueError, TypeError, KeyError, InputError) as error:
        raise SnapshotError(file, f"is damaged ({type(error).__name__})") from error
    if (name, version) != (match["name"], int(match["version"])):
        raise SnapshotError(file, f"says that it is {name} version {version}")
    if not isinstance(schema, dict) or not all(isinstance(one, dict) for one in earlier):
        raise SnapshotError(file, "holds no schema")
    return Snapshot(part, name, version, schema, tuple(earlier))


_WORD: Final = {Part.ARGS: "kind", Part.EVENT: "type"}
