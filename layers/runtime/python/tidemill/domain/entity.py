"""What the jobs of a FIFO lane are about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing (an order, an account) whose jobs run one after the other in one lane.

    The tenant is part of it: two tenants' entities of one name have nothing to do with each other.
    """

    tenant: str
    lane: str
    name: str

    @property
    def group(self) -> str:
        """Its message group in the lane's queue. A hash, because tenant and name together may be too long for one."""
        return hashlib.sha256(f"{self.tenant}#{self.name}".encode()).hexdigest()
