"""Sends what was committed: facts to the bus, jobs to their queues."""

from orders import registry

from tidemill.entrypoints.relay import relay_handler

handler = relay_handler(registry)
