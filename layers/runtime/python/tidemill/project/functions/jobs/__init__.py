"""All jobs of this project."""

from jobs.greet import greet
from tidemill import JobRegistry

registry = JobRegistry(greet)
