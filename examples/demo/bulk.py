"""Two hundred jobs at once, and what they cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from examples.demo.checks import bulk_problem
from examples.demo.scoreboard import Scoreboard
from examples.demo.stage import Stage
from examples.demo.units import Refusal, count_units
from jobs.ping import Ping
from tidemill import Submission
from tidemill.domain.errors import TidemillError
from tidemill.domain.job import Job, JobRef
from tidemill.service.submitter import Receipt

COUNT: Final = 200
IN_BULK: Final = f"{COUNT} jobs in bulk"
UNITS: Final = "write units per job are as promised"
CHECKS: Final = (IN_BULK, UNITS)


@dataclass(frozen=True)
class BulkSent:
    """What was submitted: the receipts, and the message of each job."""

    receipts: Sequence[Receipt]
    messages: Mapping[str, str]

    @property
    def refs(self) -> list[JobRef]:
        """Which jobs."""
        return [receipt.job.ref for receipt in self.receipts]


def submit_bulk(stage: Stage) -> BulkSent:
    """Submit all in one call of the client.

    Raises:
        TidemillError: one of them was not accepted.
    """
    pings = [Ping(message=f"ping {number}") for number in range(COUNT)]
    results = stage.client.submit_many([Submission(ping) for ping in pings])
    for result in results:
        if isinstance(result, TidemillError):
            raise result
    receipts = [result for result in results if isinstance(result, Receipt)]
    messages = {receipt.job_id: ping.message for receipt, ping in zip(receipts, pings, strict=True)}
    return BulkSent(receipts, messages)


def check_bulk(board: Scoreboard, sent: BulkSent, jobs: Mapping[JobRef, Job | None]) -> str:
    """See that each answered its own message, in one attempt; answers how long they took."""
    results = {job_id: json.dumps(message) for job_id, message in sent.messages.items()}
    board.score(IN_BULK, bulk_problem([jobs[ref] for ref in sent.refs], results, COUNT))
    spans = [(job.created_at, job.finished_at or job.created_at) for ref in sent.refs if (job := jobs[ref])]
    took_s = (max(end for _, end in spans) - min(start for start, _ in spans)) / 1000
    return f"   {len(spans)} jobs from the first submit to the last result in {took_s:.1f} s, on this machine"


def check_units(stage: Stage, board: Scoreboard, sent: BulkSent, jobs: Mapping[JobRef, Job | None]) -> str:
    """Count what the jobs cost; answers the count."""
    records = [job for ref in sent.refs if (job := jobs[ref]) is not None]
    units = count_units(
        records, sent.receipts, refusals(stage, set(sent.messages)), list_index=stage.program.settings.list_index
    )
    board.score(UNITS, units.problem)
    return units.story


def refusals(stage: Stage, job_ids: set[str]) -> list[Refusal]:
    """The claims that a worker logged as refused for these jobs."""
    found: list[Refusal] = []
    for line in stage.cloud.logs("WorkerDefault"):
        try:
            event = json.loads(line.message)
        except ValueError:
            continue  # Lambda's own START, END and REPORT lines
        if isinstance(event, dict) and event.get("message") == "not_claimed" and event.get("job_id") in job_ids:
            found.append(Refusal(event["cause"]))
    return found
