"""Bugs in what is done about others' faults: a dependency that is down, a job that kills its worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.simulation.planted.plant import Planted, always
from tidemill.domain import decide, failure, limits
from tidemill.domain.retry import Retry
from tidemill.service import census
from tidemill.service.batch import Batch

PLANTED: Final = (
    Planted(
        "an outage costs attempts",
        "I14",
        "outage",
        "a dependency that is down is a failure like any other",
        ((decide, "_deferral", always(None)),),
    ),
    Planted(
        "no patience",
        "I20",
        "outage",
        "a job whose dependency is down is tried again at once, for ever",
        ((Retry, "deferral_delay", always(timedelta(0))), (decide, "_deferral", always("unavailable"))),
    ),
    Planted(
        "suspects together",
        "I25",
        "poison",
        "jobs whose worker died run beside each other again",
        (
            (Batch, "together", lambda _: property(lambda batch: list(batch.startable))),
            (Batch, "suspects", lambda _: property(lambda _: [])),
        ),
    ),
    Planted(
        "deaths without end",
        "I25",
        "poison",
        "nobody counts the workers that died with one job",
        ((limits, "MAX_CRASHES", lambda _: 99),),
    ),
    Planted(
        "spare letters stay",
        "I20",
        "outage",
        "nobody deletes a copy from the DLQ whose job has succeeded",
        ((census, "_is_spare", always(False)),),
    ),
    Planted(
        "duplicates kill",
        "I14",
        "outage",
        "a job that waits for its next attempt is dead when duplicates have used up its message",
        ((census.Census, "_goes_on", always(False)),),
    ),
    Planted(
        "error as it comes",
        "I18",
        "basic",
        "the evidence of a failure quotes the arguments",
        ((failure, "hide", lambda _: lambda text, *_, **__: text),),
    ),
)
