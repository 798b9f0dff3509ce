"""Endpoints of webhooks in memory: the reference implementation of `Endpoints`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.domain.webhook.endpoint import Endpoint, EndpointRef


@dataclass
class MemoryEndpoints:
    """See Endpoints."""

    rows: dict[EndpointRef, Endpoint] = field(default_factory=dict)

    def find(self, ref: EndpointRef) -> Endpoint | None:
        """See Endpoints."""
        return self.rows.get(ref)

    def create(self, endpoint: Endpoint) -> Endpoint | None:
        """See Endpoints."""
        standing = self.rows.setdefault(endpoint.ref, endpoint)
        return None if standing == endpoint else standing

    def change(self, before: Endpoint, after: Endpoint) -> bool:
        """See Endpoints."""
        standing = self.rows.get(before.ref)
        if standing is not None and _version(standing) == _version(before):
            self.rows[before.ref] = standing = after
        return standing == after

    def delete(self, ref: EndpointRef) -> bool:
        """See Endpoints."""
        return self.rows.pop(ref, None) is not None


def _version(endpoint: Endpoint) -> tuple[int, int]:
    return endpoint.created_at, endpoint.revision
