"""Sweeps for the jobs of the docs."""

from guides import registry

from tidemill.entrypoints.janitor import janitor_handler

handler = janitor_handler(registry)
