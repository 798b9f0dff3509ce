"""The exceptions inside of an exception group, however it is built."""

from __future__ import annotations

from typing import Final

# More tasks than an invocation has time for. What is beyond them is not looked at.
_MOST: Final = 1_000


def members_of(error: BaseException) -> list[BaseException]:
    """The exceptions of a group on all its levels, without the groups themselves; of any other error, the error.

    Each is there once, at most 1,000 are.
    """
    found: list[BaseException] = []
    waiting, seen = [error], {id(error)}
    while waiting and len(found) < _MOST:
        one = waiting.pop()
        if not isinstance(one, BaseExceptionGroup):
            found.append(one)
            continue
        new = [inner for inner in one.exceptions[:_MOST] if id(inner) not in seen]
        seen.update(map(id, new))
        waiting += reversed(list({id(inner): inner for inner in new}.values()))
    return found
