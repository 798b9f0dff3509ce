"""Runs the trials."""

from trials import registry

from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry)
