"""Once a minute: sends what is due, records what was dead-lettered unseen."""

from orders import registry

from tidemill.entrypoints.janitor import janitor_handler

handler = janitor_handler(registry)
