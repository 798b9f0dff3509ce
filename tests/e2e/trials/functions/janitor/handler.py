"""Sweeps for the trials."""

from trials import registry

from tidemill.entrypoints.janitor import janitor_handler

handler = janitor_handler(registry)
