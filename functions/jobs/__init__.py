"""The whole list of this application's jobs. A job that is not here does not exist."""

from jobs.flaky import fail_then_succeed
from jobs.fragile import measure_object
from jobs.ping import answer_ping
from jobs.thumbnail import make_thumbnail
from tidemill import JobRegistry

registry = JobRegistry(make_thumbnail, answer_ping, fail_then_succeed, measure_object)
