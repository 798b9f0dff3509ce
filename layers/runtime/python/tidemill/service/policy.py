"""What a kind says about failing and keeping."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidemill.domain.definition import Retention
from tidemill.domain.errors import InputError
from tidemill.domain.registry import JobRegistry
from tidemill.domain.retry import Retry


@dataclass(frozen=True, slots=True)
class Policy:
    """The retry policy and the retention of a kind; the defaults for one that this code does not know."""

    retry: Retry = field(default_factory=Retry)
    retention: Retention = field(default_factory=Retention)


def policy_of(registry: JobRegistry, kind: str) -> Policy:
    """The policy of `kind`."""
    try:
        definition = registry.resolve(kind)
    except InputError:
        return Policy()
    return Policy(definition.retry, definition.retention)
