"""What MiniStack's EventBridge Scheduler leaves undone: it sends context attributes as they stand in the template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

_SOURCE: Final = "aws.scheduler"


def fill_in_attributes(eventbridge: Any) -> None:
    """Let MiniStack's module `eventbridge`, which sends for its Scheduler too, fill them in as AWS does.

    A later MiniStack that does it, or that sends in another way, is left as it is.
    """
    send: Callable[..., None] | None = getattr(eventbridge, "_invoke_target", None)
    if send is None:
        return

    def filled(target: dict[str, Any], event: dict[str, Any], *more: Any) -> None:
        if event.get("Source") == _SOURCE and "Input" in target:
            target = {**target, "Input": with_attributes(target["Input"], event)}
        send(target, event, *more)

    eventbridge._invoke_target = filled  # noqa: SLF001 - it has no other place for this


def with_attributes(text: str, event: dict[str, Any]) -> str:
    """`text` with the attributes of Scheduler's User Guide, "Adding context attributes".

    MiniStack looks every ten seconds what is due: the minute in which it finds something is the time that was meant.
    """
    at = datetime.fromtimestamp(event["Time"] // 60 * 60, UTC)
    values = {
        "scheduled-time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "schedule-arn": next(iter(event.get("Resources", ())), ""),
        "execution-id": event.get("EventId", ""),
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<{_SOURCE}.{name}>", value)
    return text
