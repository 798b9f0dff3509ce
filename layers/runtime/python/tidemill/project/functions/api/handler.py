"""Answers the HTTP API."""

from jobs import registry
from tidemill.entrypoints.http import api_handler

handler = api_handler(registry)
