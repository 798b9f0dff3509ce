"""Sends what transactions have committed: jobs to their lanes, facts to the bus."""

from jobs import registry
from tidemill.entrypoints.relay import relay_handler

handler = relay_handler(registry)
