"""What is refused, and what is not done twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from examples.demo.checks import reason_problem, refused_problem, repeated_problem, state_problem
from examples.demo.scoreboard import Scoreboard
from examples.demo.stage import Stage, job_of_message
from examples.demo.watch import Sent, wait_until
from jobs.ping import Ping
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State

UNKNOWN_KIND: Final = "unknown kind by HTTP is refused"
BAD_ARGUMENT: Final = "bad argument by HTTP is refused by its name"
UNSIGNED: Final = "unsigned request is refused"
REPEATED: Final = "repeated key returns the first job"
CONFLICT: Final = "repeated key with other arguments is refused"
BAD_MESSAGE: Final = "bad SQS message is in the DLQ with its reason"
NEIGHBOURS: Final = "neighbours of the bad message are unharmed"
CHECKS: Final = (UNKNOWN_KIND, BAD_ARGUMENT, UNSIGNED, REPEATED, CONFLICT, BAD_MESSAGE, NEIGHBOURS)

LANE: Final = "default"


@dataclass(frozen=True)
class Neighbours:
    """A bad message between two good ones."""

    good: tuple[Sent, Sent]
    bad: Sent
    bad_message_id: str


def send_neighbours(stage: Stage) -> Neighbours:
    """Send three plain messages as one batch; the one in the middle is bad."""
    kind = Ping.job_kind
    pings = [{"kind": kind, "args": {"message": message}} for message in ("left", 5, "right")]
    ids = stage.send(LANE, *pings)
    left, bad, right = (
        Sent(label, "SendMessage", job_of_message(kind, message_id))
        for label, message_id in zip(("good neighbour", "bad message", "other neighbour"), ids, strict=True)
    )
    return Neighbours((left, right), bad, ids[1])


def check_requests(stage: Stage, board: Scoreboard) -> None:
    """Try what the API must refuse, and what it must not do twice."""
    ping = {"kind": Ping.job_kind, "args": {"message": "once"}}
    with board.expecting(UNKNOWN_KIND):
        answer = stage.api.post("/jobs", {"kind": "media.thumbnial", "args": {}})
        board.score(UNKNOWN_KIND, refused_problem(answer, 422, "kind"))
    with board.expecting(BAD_ARGUMENT):
        args = {"bucket": stage.bucket, "key": "china.jpg", "width": 8}
        answer = stage.api.post("/jobs", {"kind": "media.thumbnail", "args": args})
        board.score(BAD_ARGUMENT, refused_problem(answer, 422, "args.width"))
    with board.expecting(UNSIGNED):
        board.score(UNSIGNED, refused_problem(stage.api.post("/jobs", ping, sign=False), 403, ""))
    keyed = ping | {"key": "demo:once"}
    with board.expecting(REPEATED):
        board.score(REPEATED, repeated_problem(stage.api.post("/jobs", keyed), stage.api.post("/jobs", keyed)))
    with board.expecting(CONFLICT):
        answer = stage.api.post("/jobs", keyed | {"args": {"message": "twice"}})
        board.score(CONFLICT, refused_problem(answer, 422, "key_conflict"))


def check_neighbours(
    stage: Stage, board: Scoreboard, neighbours: Neighbours, jobs: Mapping[JobRef, Job | None]
) -> None:
    """See where each of the three went."""
    bad = neighbours.bad
    with board.expecting(BAD_MESSAGE):
        failures = stage.client.failures(bad.ref.id)
        problem = reason_problem(jobs[bad.ref], failures, "invalid_args", "args.message")
        in_dlq = wait_until(lambda: neighbours.bad_message_id in _dead_messages(stage))
        board.score(BAD_MESSAGE, problem or ("" if in_dlq else "the DLQ does not hold it"))
    with board.expecting(NEIGHBOURS):
        problems = [state_problem(jobs[sent.ref], State.SUCCEEDED) for sent in neighbours.good]
        board.score(NEIGHBOURS, "; ".join(filter(None, problems)))


def _dead_messages(stage: Stage) -> list[str]:
    return [delivery.message_id for delivery in stage.program.dead_letters.peek(LANE, 10)]
