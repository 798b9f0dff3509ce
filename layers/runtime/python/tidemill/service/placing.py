"""In which lane a job runs and which endpoint is told of it, as its submitter and its kind say."""

from __future__ import annotations

from tidemill.domain.errors import InputError
from tidemill.domain.names import check_kind, check_lane
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.sizing import longest_timeout


def placed(lane: str | None, definition: AnyDefinition, registry: JobRegistry) -> str:
    """The lane of a job of this kind, if `lane` is what its submitter asks for.

    Raises:
        InputError: there is no such lane, it is that of webhooks, or it grants less time than the kind may take.
    """
    if lane is None:
        return definition.lane
    if check_lane(lane) not in registry.lanes:
        raise InputError.at("lane", f"no lane {lane!r}; known: {', '.join(registry.lanes)}", "unknown_lane")
    if registry.webhooks:
        _check_apart(lane, definition)
    granted = longest_timeout(registry.in_lane(lane))
    if definition.timeout > granted:
        # Its worker would never have the time to start the job.
        raise InputError.at(
            "lane",
            f"{lane!r} grants a job {granted}, {definition.kind!r} may take {definition.timeout}. "
            "Fix: choose a lane whose own jobs have as long a timeout",
            "timeout",
        )
    return lane


def check_submitted(kind: object, registry: JobRegistry) -> str:
    """`kind` if a document from outside may ask for it.

    Raises:
        InputError: it is ill-formed, or it is that of deliveries, which would let its sender have anything signed.
    """
    checked = check_kind(kind)
    if registry.webhooks:
        from tidemill.domain.webhook.delivery import DELIVER_KIND

        if checked == DELIVER_KIND:
            raise InputError.at("kind", f"{checked!r} is made by ends of jobs alone. Fix: name a webhook", "kind")
    return checked


def told(webhook: object, definition: AnyDefinition, registry: JobRegistry) -> str | None:
    """The endpoint that is told of the job's end: the one that the submitter names, else the kind's, if it has one.

    Raises:
        InputError: the registry lists no such endpoint, or the job is a delivery itself.
    """
    if webhook is None:
        return definition.webhook
    if webhook not in registry.webhooks:
        known = ", ".join(registry.webhooks) or "none"
        problem = f"no webhook {webhook!r:.100}; known: {known}. Fix: JobRegistry(..., webhooks=['...']), and deploy"
        raise InputError.at("webhook", problem, "unknown_webhook")
    from tidemill.domain.webhook.delivery import DELIVER_KIND

    if definition.kind == DELIVER_KIND:
        raise InputError.at("webhook", "can't be told of a webhook. Fix: leave it out", "webhook")
    return str(webhook)


def _check_apart(lane: str, definition: AnyDefinition) -> None:
    """Nothing but deliveries runs in the lane of webhooks, whose role may read their secrets, and they nowhere else."""
    from tidemill.domain.lane import WEBHOOK_LANE
    from tidemill.domain.webhook.delivery import DELIVER_KIND

    if (lane == WEBHOOK_LANE) != (definition.kind == DELIVER_KIND):
        problem = f"lane {WEBHOOK_LANE!r} runs webhooks, and nothing else does. Fix: leave the lane out"
        raise InputError.at("lane", problem, "webhook_lane")
