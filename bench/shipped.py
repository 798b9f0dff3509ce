"""The shipped worker, made as `functions/worker/handler.py` makes it."""

from bench.jobs import registry
from tidemill.entrypoints.worker import worker_handler

handler = worker_handler(registry)
