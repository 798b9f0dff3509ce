"""Sends what the trials have committed."""

from trials import registry

from tidemill.entrypoints.relay import relay_handler

handler = relay_handler(registry)
