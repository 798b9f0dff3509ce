"""The worker that the demo's shop has in place of its own: it sends webhooks to this machine."""

from loopback import LOOPBACK  # type: ignore[import-not-found]  # it is beside it in the code that is deployed
from orders import registry

from tidemill.entrypoints.worker import worker_handler
from tidemill.outside.https import SafeSender

handler = worker_handler(registry, sender=SafeSender(LOOPBACK))
