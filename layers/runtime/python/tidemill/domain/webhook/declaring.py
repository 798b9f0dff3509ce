"""What a registry with webhooks has beside what was listed: the job that delivers them, and its lane. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from tidemill.domain import webhook_limits
from tidemill.domain.definition import JobDefinition
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.lane import WEBHOOK_LANE, Lane
from tidemill.domain.names import check_webhook
from tidemill.domain.webhook.delivery import DELIVER_KIND, deliveries

_Definitions: TypeAlias = "tuple[JobDefinition[Any, Any], ...]"


def declared(
    names: object, definitions: _Definitions, lanes: Sequence[Lane]
) -> tuple[tuple[str, ...], _Definitions, tuple[Lane, ...]]:
    """The names of the endpoints, and all definitions and lanes.

    Raises:
        DefinitionError: a name is ill-formed or there twice, there are more than 32, or a job or another lane is in
            the place of ours: who runs in the lane of webhooks may read their secrets.
    """
    if all(getattr(one, "kind", None) != DELIVER_KIND for one in definitions):
        delivering, lane = deliveries()
        if any(getattr(one, "name", None) == WEBHOOK_LANE for one in lanes):
            raise DefinitionError(f"lane {WEBHOOK_LANE!r} is that of webhooks. Fix: rename yours")
        definitions, lanes = (*definitions, delivering), (*lanes, lane)
    for one in definitions:
        if isinstance(one, JobDefinition) and one.lane == WEBHOOK_LANE and one.kind != DELIVER_KIND:
            raise DefinitionError(
                f"job {one.kind!r} is in lane {WEBHOOK_LANE!r}, where webhooks alone run. Fix: give it another lane"
            )
    return _names(names), definitions, tuple(lanes)


def _names(names: object) -> tuple[str, ...]:
    if not isinstance(names, list | tuple):
        raise DefinitionError(f"webhooks is {names!r}. Fix: JobRegistry(..., webhooks=['orders'])")
    for name in names:
        try:
            check_webhook(name, "webhooks")
        except InputError as error:
            raise DefinitionError(f"webhooks holds {name!r}: {error}") from error
        if names.count(name) > 1:
            raise DefinitionError(f"webhooks holds {name!r} twice. Fix: name each endpoint once")
    if len(names) > webhook_limits.MAX_WEBHOOKS:
        raise DefinitionError(f"webhooks holds {len(names)} endpoints. Fix: at most {webhook_limits.MAX_WEBHOOKS}")
    return tuple(names)
