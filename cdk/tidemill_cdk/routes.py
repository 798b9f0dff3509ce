"""The routes of the HTTP API: what API Gateway hands to its function."""

from __future__ import annotations

from typing import Final

ROUTES: Final = (
    ("POST", "/jobs"),
    ("POST", "/jobs/batch"),
    ("GET", "/jobs"),
    ("GET", "/jobs/{id}"),
    ("DELETE", "/jobs"),
    ("DELETE", "/jobs/{id}"),
    ("POST", "/jobs/{id}/move"),
    ("POST", "/jobs/{id}/answers/{name}"),
    ("POST", "/batches"),
    ("GET", "/batches/{id}"),
    ("DELETE", "/batches/{id}"),
    ("POST", "/jobs/{id}/redrive"),
    ("GET", "/dlq"),
    ("GET", "/dlq/groups"),
    ("GET", "/dlq/audit"),
    ("GET", "/dlq/{id}"),
    ("POST", "/dlq/redrive"),
    ("POST", "/dlq/purge"),
    ("GET", "/schedules"),
    ("POST", "/schedules"),
    ("GET", "/schedules/{name}"),
    ("PATCH", "/schedules/{name}"),
    ("DELETE", "/schedules/{name}"),
    ("GET", "/schedules/{name}/next"),
    ("GET", "/schedules/{name}/versions"),
    ("POST", "/schedules/{name}/pause"),
    ("POST", "/schedules/{name}/resume"),
    ("POST", "/schedules/{name}/revert"),
    ("POST", "/schedules/{name}/trigger"),
    ("POST", "/schedules/{name}/backfill"),
    ("GET", "/openapi.json"),
)
