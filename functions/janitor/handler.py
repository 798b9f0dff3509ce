"""Once a minute: sends what is due, records what was dead-lettered unseen."""

from jobs import registry
from tidemill.entrypoints.janitor import janitor_handler

handler = janitor_handler(registry)
