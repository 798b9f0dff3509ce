"""Domain events: what others may want to hear of, and how it is published. `docs/outbox.md` is the tour."""

from tidemill.domain.event import Event
from tidemill.domain.fact import Fact
from tidemill.domain.heard import Heard
from tidemill.domain.job_events import JobDied, JobSucceeded
from tidemill.domain.subscribing import on
from tidemill.service.composing import Publication
from tidemill.service.transacting import TransactItems

__all__ = ("Event", "Fact", "Heard", "JobDied", "JobSucceeded", "Publication", "TransactItems", "on")
