"""Answers for the trials."""

from trials import registry

from tidemill.entrypoints.http import api_handler

handler = api_handler(registry)
