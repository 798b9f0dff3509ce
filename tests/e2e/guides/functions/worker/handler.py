"""Runs the jobs of the docs."""

from guides import registry

from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry)
