"""The part of JSONPath that Tidemill's state machines use: `$.a.b`, `$[0].a`, `$$.Task.Token`."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Final

_PART: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


class PathError(Exception):
    """A path leads nowhere. Step Functions ends the execution with `States.Runtime`, which nothing catches."""


def found(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """What a path names in the state's data, or with `$$` in the context object.

    Raises:
        PathError: there is nothing.
    """
    value: Any = context if path.startswith("$$") else data
    rest = path.lstrip("$")
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise PathError(f"{path} is beyond what Tidemill's own state machines use")
        key: Any = part[1] if part[1] is not None else int(part[2])
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise PathError(f"{path} leads nowhere in {data!r}") from None
        rest = rest[part.end() :]
    return copy.deepcopy(value)


def filled(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """A payload template with every `name.$` replaced by what its path names."""
    if isinstance(template, Mapping):
        return {
            key.removesuffix(".$"): found(value, data, context) if key.endswith(".$") else filled(value, data, context)
            for key, value in template.items()
        }
    return copy.deepcopy(template)


def placed(path: str | None, data: Any, result: Any) -> Any:
    """The state's data with `result` at `path`; nodes on the way that are missing are made. None drops the result."""
    if path is None:
        return data
    names = [part[0] for part in _PART.findall(path)]
    if not names:
        return result
    whole = copy.deepcopy(data)
    node = whole
    for name in names[:-1]:
        node = node.setdefault(name, {})
    node[names[-1]] = result
    return whole
