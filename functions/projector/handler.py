"""Keeps read models up to date with the streams of events. Deployed where the registry has projections."""

from jobs import registry
from tidemill.entrypoints.projector import projector_handler

handler = projector_handler(registry)
