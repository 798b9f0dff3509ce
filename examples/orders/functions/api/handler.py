"""Submits, reads, lists and cancels jobs over HTTP."""

from orders import registry

from tidemill.entrypoints.http import api_handler

handler = api_handler(registry)
