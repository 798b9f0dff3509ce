"""Runs the trials."""

from trials import registry
from trials.hooked import sender

from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry, sender=sender)
