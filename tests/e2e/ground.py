"""The deployed application of `tests/e2e/trials`, and what a test asks of it from outside."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.credentials import Credentials

from examples.demo.signed import SignedApi
from examples.demo.watch import wait_until
from tidemill import JobArgs, Receipt, Submission
from tidemill.aws.clients import Clients
from tidemill.connect import find_stack, program_of
from tidemill.domain.audit import AuditEntry
from tidemill.domain.job import Job, JobRef, day_of
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.local import LocalCloud
from tidemill.local.state import StateFolder
from tidemill.service.client import JobClient
from tidemill.service.reception import Enveloped, receive

APPLICATION: Final = Path(__file__).parent / "trials"
STACK: Final = "trials"
# A function's first process takes seconds to start, and every other test may want the same processor.
PATIENCE_S: Final = 60


@dataclass(frozen=True)
class Diary:
    """What the jobs of one trial noted; see `trials/functions/trials/diary.py`."""

    path: Path

    def lines(self, word: str | None = None, name: str | None = None) -> list[dict[str, Any]]:
        """The lines with this word, of this name, in the order they were written."""
        written = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        found = map(json.loads, written)
        return [line for line in found if word in {None, line["word"]} and name in {None, line["name"]}]

    def has(self, word: str, count: int = 1, name: str | None = None) -> bool:
        """Whether the word stands there so often within a test's patience."""
        return wait_until(lambda: len(self.lines(word, name)) >= count, PATIENCE_S)


@dataclass(frozen=True)
class Ground:
    """The stack of the trials.

    Attributes:
        program: the operator's side. `api`: the HTTP API. `diaries`: where jobs write.
    """

    program: Program
    api: SignedApi
    cloud: LocalCloud
    diaries: Path

    @classmethod
    def deployed(
        cls, cloud: LocalCloud, folder: Path, registry: JobRegistry, stack: str = STACK, application: Path = APPLICATION
    ) -> "Ground":
        """Deploy an application, the trials if none is named, into a cloud that runs."""
        LocalCloud(application, StateFolder(folder), cloud.running).deploy(stack)
        clients = Clients(cloud.env["AWS_REGION"], cloud.endpoint)
        credentials = Credentials(cloud.env["AWS_ACCESS_KEY_ID"], cloud.env["AWS_SECRET_ACCESS_KEY"])
        api = SignedApi(cloud.outputs(stack)["ApiUrl"], credentials, cloud.env["AWS_REGION"])
        return cls(program_of(find_stack(stack, clients), registry, clients), api, cloud, folder)

    @property
    def client(self) -> JobClient:
        return self.program.client

    def diary(self, name: str) -> Diary:
        """A new page."""
        return Diary(self.diaries / f"{name}.jsonl")

    def job(self, ref: JobRef) -> Job | None:
        """The record as it is now."""
        return self.program.reader.find([ref])[0]

    def ended(self, ref: JobRef, generation: int = 1, patience_s: float = PATIENCE_S) -> Job:
        """The job once this generation of it is over."""
        seen: list[Job | None] = []

        def is_over() -> bool:
            seen[:] = [job := self.job(ref)]
            return job is not None and job.state.is_final and job.generation >= generation

        assert wait_until(is_over, patience_s), seen
        (job,) = seen
        assert job is not None
        return job

    # --- queues ------------------------------------------------------------------------------------

    def submit_as_batch(self, lane: str, jobs: Sequence[JobArgs]) -> list[JobRef]:
        """Submit up to ten jobs to a lane at rest, so that one invocation gets all of them."""
        with at_rest(self.cloud, self.program, lane):
            answers = self.client.submit_many([Submission(args, lane=lane) for args in jobs])
        receipts = [answer for answer in answers if isinstance(answer, Receipt)]
        assert len(receipts) == len(jobs), answers
        return [receipt.job.ref for receipt in receipts]

    def in_dlq(self, lane: str) -> dict[JobRef, str]:
        """The jobs in a lane's DLQ, and their messages' bodies."""
        messages = receive(self.program.dead_letters.peek(lane, 100))
        return {one.envelope.ref: one.delivery.body for one in messages if isinstance(one, Enveloped)}

    def is_empty(self, lane: str) -> bool:
        """Whether the lane's queue has no message, in flight or not."""
        url = self.program.settings.lanes[lane].queue_url
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.program.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return all(found[name] == "0" for name in names)

    def wait_for_dlq(self, lane: str, refs: Collection[JobRef]) -> None:
        """Wait until SQS has moved the messages of these jobs."""
        assert wait_until(lambda: set(refs) <= set(self.in_dlq(lane)), PATIENCE_S)

    def trail(self, tenant: str) -> list[AuditEntry]:
        """What was done at the desk to a tenant's jobs, newest first, yesterday's too if a day has just begun."""
        today = self.program.clock.now_ms()
        days = dict.fromkeys(day_of(at_ms) for at_ms in (today, today - 3_600_000))
        entries = [entry for day in days for entry in self.program.desk.trail(day, 100).entries]
        return [entry for entry in entries if entry.tenant == tenant or any(tenant in job for job in entry.jobs)]

    @property
    def operator(self) -> str:
        """Who AWS says that the command line is."""
        return self.cloud.client("sts").get_caller_identity()["Arn"]

    def redrive_as_the_console_does(self, lane: str, ref: JobRef) -> None:
        """Put a job's message back by means of SQS alone: the same body as a new message."""
        sqs, urls = self.program.clients.sqs, self.program.settings.lanes[lane]
        received = sqs.receive_message(QueueUrl=urls.dlq_url, MaxNumberOfMessages=10)["Messages"]
        (message,) = [one for one in received if json.loads(one["Body"])["id"] == ref.id]
        sqs.send_message(QueueUrl=urls.queue_url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=urls.dlq_url, ReceiptHandle=message["ReceiptHandle"])

    # --- functions ---------------------------------------------------------------------------------

    def function_timeout_s(self, lane: str) -> int:
        """As it is deployed."""
        (timeout,) = [
            function["Timeout"]
            for function in functions_of(self.cloud, STACK)
            if function["Environment"]["Variables"].get("TIDEMILL_LANE") == lane
        ]
        return timeout

    def sweep(self) -> None:
        """Let the janitor do now what it does every minute."""
        sweep(self.cloud, STACK)


def functions_of(cloud: LocalCloud, stack: str) -> list[dict[str, Any]]:
    """The deployed functions of one stack."""
    listed = cloud.client("lambda").list_functions()["Functions"]
    return [one for one in listed if one["Environment"]["Variables"].get("TIDEMILL_STACK") == stack]


def sweep(cloud: LocalCloud, stack: str) -> None:
    """Let the janitor of a stack do now what it does every minute."""
    names = [function["FunctionName"] for function in functions_of(cloud, stack)]
    (janitor,) = [name for name in names if "Janitor" in name]
    answer = cloud.client("lambda").invoke(FunctionName=janitor, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


@contextmanager
def at_rest(cloud: LocalCloud, program: Program, lane: str) -> Iterator[None]:
    """Nothing is taken from the lane's queue meanwhile, so that what is sent comes to its worker together."""
    functions = cloud.client("lambda")
    queue = program.settings.lanes[lane].queue_url.rpartition("/")[2]
    (mapping,) = [
        one["UUID"]
        for one in functions.list_event_source_mappings()["EventSourceMappings"]
        if one["EventSourceArn"].endswith(f":{queue}")
    ]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
