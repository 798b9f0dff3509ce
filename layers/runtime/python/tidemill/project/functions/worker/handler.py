"""Runs the jobs of one lane."""

from jobs import registry
from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry)
