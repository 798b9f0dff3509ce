"""Runs every minute."""

from jobs import registry
from tidemill.entrypoints.janitor import janitor_handler

handler = janitor_handler(registry)
