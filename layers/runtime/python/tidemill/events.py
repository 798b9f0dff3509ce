"""Domain events: what others may want to hear of, and how it is published. `docs/outbox.md` is the tour."""

from tidemill.domain.event import Event
from tidemill.domain.fact import Fact
from tidemill.domain.job_events import JobDied, JobSucceeded
from tidemill.service.composing import Publication
from tidemill.service.transacting import TransactItems

__all__ = ("Event", "Fact", "JobDied", "JobSucceeded", "Publication", "TransactItems")
