"""The command line over a stack in memory: the real service layer, engine and HTTP API, and no socket."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from random import Random, SystemRandom
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from typer.testing import CliRunner

from examples.guide.bank_balances import balances
from tests.answering import an_answerer
from tests.schedules import schedules_of
from tidemill import DEFAULT_LANES, JobArgs, JobRegistry, PermanentError, Retention, days, job
from tidemill.cli.app import app
from tidemill.cli.depths import LaneDepth
from tidemill.cli.problem import error_of
from tidemill.connect import StackInfo
from tidemill.domain.duration import minutes
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.entrypoints.http_api import HttpApi
from tidemill.service.auditing import Auditor
from tidemill.service.client import JobClient
from tidemill.service.counting import Counting
from tidemill.service.deadletters import DeadLetterDesk, Tools
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.listing import Listing
from tidemill.service.operating import Operator
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.settings import LaneSettings, RuntimeSettings
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.schedules import MemorySchedules
from tidemill.testing.store import MemoryStore
from tidemill.testing.streams import EventHarness
from tidemill.testing.waits import MemoryWaits


class Greet(JobArgs, kind="demo.greet"):
    name: str


class Break(JobArgs, kind="demo.break"):
    message: str = "no such bucket"


@job(Greet, retention=Retention(result=days(1)))
def greet(args, _):
    return {"greeting": f"Hello {args.name}"}


FAULT = SimpleNamespace(mended=False)


@job(Break)
def fail(args, _):
    if not FAULT.mended:
        raise PermanentError(args.message)


class Release(JobArgs, kind="demo.release"):
    order: int = 7


class Decision(JobArgs):
    granted: bool


@job(Release, answers={"approval": Decision})
def release(args, ctx):
    return ctx.wait_for("approval", Decision, timeout=days(1))


REGISTRY = JobRegistry(greet, fail, release)
ADA = "arn:aws:iam::1:user/ada"
LANES = tuple(lane.name for lane in DEFAULT_LANES)
SETTINGS = RuntimeSettings(
    stack="tidemill",
    table="jobs",
    lanes={name: LaneSettings(queue_url=f"https://sqs/{name}", dlq_url=f"https://sqs/{name}-dlq") for name in LANES},
)


class Silence:
    def count(self, name, value=1): ...
    def note(self, event, **fields): ...
    def alert(self, event, **fields): ...


@dataclass
class MemoryApi:
    """Requests as API Gateway would hand them to the function."""

    http: HttpApi
    posted: list = field(default_factory=list)

    def post(self, path, document):
        return self.call("POST", path, document)

    def call(self, method, path, document=None, version=None):
        self.posted.append(document)
        path, _, query = path.partition("?")
        matching = {} if version is None else {"if-match": f'"{version}"'}
        event = {
            "version": "2.0",
            "rawPath": path,
            "queryStringParameters": dict(parse_qsl(query)),
            "headers": {"content-type": "application/json", **matching},
            "requestContext": {
                "http": {"method": method, "path": path},
                "requestId": "r1",
                "stage": "$default",
                "authorizer": {"iam": {"userArn": "arn:aws:iam::1:user/op"}},
            },
            "body": json.dumps(document),
            "isBase64Encoded": False,
        }
        answer = self.http.resolve(event, None)
        if answer["statusCode"] >= 300:
            raise error_of(answer["statusCode"], answer["body"].encode(), "memory")
        return json.loads(answer["body"])


@dataclass
class World:
    """One stack, and a worker that runs when told to. It stands in for `cli.target.Target`."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    payloads: MemoryPayloads = field(default_factory=MemoryPayloads)
    order: MemoryOrder = field(default_factory=MemoryOrder)
    trail: MemoryTrail = field(default_factory=MemoryTrail)
    slept: list = field(default_factory=list)
    works_meanwhile: bool = True
    random: Random = field(default_factory=SystemRandom)
    info: StackInfo = field(default_factory=lambda: StackInfo(SETTINGS, "https://abc.execute-api.x.amazonaws.com"))

    def __post_init__(self):
        self.memory = MemoryOfJobs(self.store.memories)

    @property
    def extras(self):
        return {"order": self.order, "payloads": self.payloads}

    @cached_property
    def batches(self):
        return MemoryBatches()

    @cached_property
    def queues(self):
        return MemoryQueues(self.clock, LANES)

    @cached_property
    def program(self):
        """As the command line has it: it knows no kinds."""
        submitter = Submitter(
            JobRegistry(), self.store, self.store, self.queues, self.clock, self.random, **self.extras
        )
        client = JobClient(
            submitter,
            self.store,
            self.store,
            self.clock,
            schedules=self.schedules_of(submitter),
            batch_store=self.batches,
            answerer=self.answerer_of(JobRegistry()),
        )
        return SimpleNamespace(
            settings=SETTINGS,
            clock=self.clock,
            reader=self.store,
            client=client,
            operator=Operator(client, lambda: ADA),
            listing=Listing(self.store, self.clock, list_index=True),
            desk=self.desk_of(JobRegistry()),
            audit=self.trail,
            events=self.tide.store,
            streams=self.tide.streams,
        )

    @cached_property
    def tide(self):
        return EventHarness(balances)

    def program_knowing(self, jobs):
        assert jobs == "jobs:registry"
        auditor = Auditor(self.trail, self.clock, self.random, lambda: ADA)
        return SimpleNamespace(
            desk=self.desk_of(REGISTRY), auditor=auditor, rebuilder=lambda _telemetry: self.tide.rebuilder
        )

    def answerer_of(self, registry):
        return an_answerer(
            registry, self.store, self.queues, self.clock, trail=self.trail, actor="arn:aws:iam::1:user/ada"
        )

    def desk_of(self, registry):
        tools = Tools(
            registry, self.payloads, self.memory.look, self.trail, lambda: "arn:aws:iam::1:user/ada", self.sleep
        )
        ports = (self.store, self.store, self.queues, self.queues)
        return DeadLetterDesk(*ports, LANES, self.clock, self.random, tools)

    def sleep(self, seconds_):
        """Time goes by for the command, and the workers with it."""
        self.slept.append(seconds_)
        self.clock.advance(timedelta(seconds=seconds_))
        if self.works_meanwhile:
            for lane in LANES:
                self._batch(lane)

    @cached_property
    def submitter(self):
        return Submitter(REGISTRY, self.store, self.store, self.queues, self.clock, self.random, **self.extras)

    @cached_property
    def client(self):
        return JobClient(
            self.submitter,
            self.store,
            self.store,
            self.clock,
            schedules=self.schedules_of(self.submitter),
            batch_store=self.batches,
            answerer=self.answerer_of(REGISTRY),
        )

    @cached_property
    def rows(self):
        return MemorySchedules()

    def schedules_of(self, submitter):
        return schedules_of(submitter, self.rows, self.trail)

    @cached_property
    def api(self):
        listing = Listing(self.store, self.clock, list_index=True)
        return MemoryApi(HttpApi(REGISTRY, self.client, listing, self.desk_of(REGISTRY), Silence()))

    def depths(self):
        return [
            LaneDepth(name, self.queues.count(name), 2, 3, self.queues.depth(name), 450, 345_600, 1_209_600, 5)
            for name in LANES
        ]

    def work(self, *, rounds=MAX_RECEIVES + 2):
        """Run every lane until its dead messages are in its DLQ."""
        for _ in range(rounds):
            self.clock.advance(minutes(10))
            for lane in LANES:
                self._batch(lane)

    def _batch(self, lane):
        intake = Intake(REGISTRY, self.submitter, self.store, self.store, lane, self.clock, Silence())
        around = Surroundings(
            REGISTRY,
            self.store,
            self.memory,
            self.payloads,
            self.clock,
            Silence(),
            lambda receipt, wait_s: self.queues.hide(lane, [(receipt, wait_s)]),
            EventLoopThread(),
            order=self.order,
            waits=MemoryWaits(self.store),
            owed=(Counting(self.client.batches._progress, Silence()),),
        )
        executor = Executor(around, self.queues, intake, lane, self.random, sleep=lambda _: None)
        deliveries = self.queues.receive(lane, 1000)
        batch = executor.begin(deliveries, "request", self.clock.now_ms() + 90_000)
        for message_id in batch.together:
            batch.perform(message_id)
        staying = set(executor.finish(batch))
        self.queues.delete(lane, [one.receipt for one in deliveries if one.message_id not in staying])

    def dead(self, count=1, **options):
        """Submit jobs that die, and let them. Answers their ids."""
        ids = [self.client.submit(Break(), **options).job_id for _ in range(count)]
        self.work()
        return ids


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(FAULT, "mended", False)
    return World()


@pytest.fixture
def mend(monkeypatch):
    """Let what killed the jobs be gone."""
    return lambda: monkeypatch.setattr(FAULT, "mended", True)


@pytest.fixture
def run(world):
    """Run one command line against the world."""
    runner = CliRunner()

    def invoke(*arguments, **options):
        return runner.invoke(app, list(arguments), obj=world, **options)

    return invoke


@pytest.fixture
def refused(run):
    """Run a command line that must fail as bad input, in both forms; answers the fields that the error names."""

    def invoke(*arguments, code=2, **options):
        human, machine = run(*arguments, **options), run(*arguments, "--json", **options)
        assert (human.exit_code, machine.exit_code) == (code, code), human.output
        assert (human.stdout, machine.stdout) == ("", "")
        error = json.loads(machine.stderr)
        assert error["message"]
        for violation in error["violations"]:
            assert f"error: {violation['field']}: {violation['problem']}" in human.stderr
        return {violation["field"]: violation["problem"] for violation in error["violations"]} or error["code"]

    return invoke
