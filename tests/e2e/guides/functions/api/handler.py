"""Answers for the jobs of the docs."""

from guides import registry

from tidemill.entrypoints.http import api_handler

handler = api_handler(registry)
