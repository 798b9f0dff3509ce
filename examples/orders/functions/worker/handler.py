"""Runs jobs: an SQS batch in, the failed messages out."""

from orders import registry

from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry)
