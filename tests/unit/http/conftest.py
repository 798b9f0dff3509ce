"""The HTTP API over the ports in memory. Every response that any test gets is held against the OpenAPI document."""

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from tests.answering import an_answerer
from tests.schedules import schedules_of
from tests.unit.http.gateway import REQUEST_ID, Answer, make_event, template_of
from tidemill import JobArgs, JobRegistry, job, seconds
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete
from tidemill.domain.ports import Claim, Conclusion
from tidemill.entrypoints.http_api import HttpApi
from tidemill.service.client import JobClient
from tidemill.service.deadletters import DeadLetterDesk, Tools
from tidemill.service.listing import Listing
from tidemill.service.submitter import Submitter
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.store import MemoryStore


class Thumb(JobArgs, kind="media.thumbnail", aliases=("media.thumb",)):
    bucket: str = Field(min_length=1)
    width: int = Field(ge=16, le=4096)
    mode: Literal["crop", "fit"] = "fit"
    tags: dict[str, list[Annotated[str, Field(max_length=20)]]] = Field(default={})


class Once(JobArgs, kind="pay.once"):
    amount: int = 0


class Blob(JobArgs, kind="blob"):
    text: str


class Loose(JobArgs, kind="loose"):
    anything: Any = None


class Release(JobArgs, kind="orders.release"):
    order: int = 7


class Decision(JobArgs):
    granted: bool


REGISTRY = JobRegistry(
    job(Release, answers={"approval": Decision})(lambda args, context: None),
    job(Thumb, lane="bulk")(lambda args, context: None),
    job(Once, on_final="refuse")(lambda args, context: None),
    job(Blob)(lambda args, context: None),
    job(Loose)(lambda args, context: None),
)


_CONTRACTS: dict[tuple[JobRegistry, str], Any] = {}


@dataclass
class RecordingTelemetry:
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def count(self, name: str, value: int = 1) -> None:
        self.counts[name] += value

    def note(self, event: str, **fields: object) -> None:
        self.lines.append(json.dumps({"event": event, **fields}))

    alert = note


class World:
    """One stack in memory, and its HTTP API."""

    def __init__(self, registry: JobRegistry = REGISTRY, tenant_claim: str = "") -> None:
        self.clock = FrozenClock()
        self.store = MemoryStore()
        self.queues = MemoryQueues(self.clock, tuple(registry.lanes))
        self.telemetry = RecordingTelemetry()
        self.batches = MemoryBatches()
        self.memory, self.payloads, self.trail = MemoryOfJobs(self.store.memories), MemoryPayloads(), MemoryTrail()
        chance = Random(7)  # noqa: S311 - a test repeats
        common = (registry, self.store, self.store, self.queues, self.clock, chance)
        submitter = Submitter(*common, order=MemoryOrder(), payloads=self.payloads)
        self.answerer = an_answerer(registry, self.store, self.queues, self.clock, trail=self.trail, actor="lambda")
        self.client = JobClient(
            submitter,
            self.store,
            self.store,
            self.clock,
            schedules=schedules_of(submitter, trail=self.trail),
            batch_store=self.batches,
            answerer=self.answerer,
        )
        self.listing = Listing(self.store, self.clock, list_index=True)
        tools = Tools(registry, self.payloads, self.memory.look, self.trail, lambda: "lambda", self.sleep)
        ports = (self.store, self.store, self.queues, self.queues)
        self.desk = DeadLetterDesk(*ports, tuple(registry.lanes), self.clock, Random(8), tools)  # noqa: S311 - the same
        self.api = HttpApi(registry, self.client, self.listing, self.desk, self.telemetry, tenant_claim, self.sleep)
        # A test that fuzzes makes hundreds of worlds.
        self.contract = _CONTRACTS.setdefault((registry, tenant_claim), None) or self.api.openapi
        _CONTRACTS[registry, tenant_claim] = self.contract
        self.reached: set[tuple[str, str, str]] = set()
        self.context: Any = None

    def sleep(self, seconds_: float) -> None:
        self.clock.advance(seconds(seconds_))

    @property
    def is_empty(self) -> bool:
        """No row, no envelope, no message."""
        messages = sum(self.queues.count(lane) for lane in REGISTRY.lanes)
        return not (self.store.jobs or self.store.envelopes or messages)

    def call(self, method: str, target: str, body: Any = None, **options: Any) -> Answer:
        """Send a request and check the response against the served document."""
        event = make_event(method, target, body, **options)
        answer = self.send(event)
        self._check(method, target, answer)
        return answer

    def send(self, event: dict[str, Any]) -> Answer:
        raw = self.api.resolve(event, self.context)
        assert raw["isBase64Encoded"] is False
        json.dumps(raw, ensure_ascii=False).encode()  # as Lambda's runtime does
        return Answer(raw["statusCode"], raw["headers"], raw["body"], raw)

    def _check(self, method: str, target: str, answer: Answer) -> None:
        path = template_of(method, target)
        operation = self.contract["paths"].get(path, {}).get(method.lower())
        if operation is None:
            schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
            assert answer.status in (404, 405)
        elif answer.is_page:
            # `tests/unit/http/test_answer_page.py` looks at what is on it.
            assert "text/html" in operation["responses"][str(answer.status)]["content"]
            self.reached.add((method, path, str(answer.status)))
            return
        elif answer.status == 404 and answer.json.get("code") == "no_route":
            schema = {"$ref": "#/components/schemas/Problem"}  # an id that no URL of ours holds
        else:
            response = operation["responses"][str(answer.status)]
            schema = response["content"][answer.headers["Content-Type"]]["schema"]
            assert set(response.get("headers", {})) <= set(answer.headers)
            self.reached.add((method, path, str(answer.status)))
        problems = [error.message for error in self.validator(schema).iter_errors(answer.json)]
        assert problems == [], answer.text
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json["status"] == answer.status
            assert answer.json["request_id"] == REQUEST_ID
            assert "Traceback" not in answer.text
            assert ".py" not in answer.text

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        return Draft202012Validator({**schema, "components": self.contract["components"]})

    # --- jobs in other states than a submit leaves them -------------------------------------------

    def submitted(self, **request: Any) -> JobRef:
        answer = self.call("POST", "/jobs", {"kind": "loose", "args": {}, **request})
        assert answer.status in (200, 202), answer.text
        return JobRef(request.get("tenant", "default"), answer.json["id"])

    def running(self, ref: JobRef) -> None:
        record, now = self.store.jobs[ref], self.clock.now_ms()
        claim = Claim(ref, record.fingerprint, "worker", Held("s", now), now + 1, now + 60_000, record.ttl_s)
        self.store.claim([claim])
        assert self.store.jobs[ref].state is State.RUNNING

    def concluded(self, ref: JobRef, verdict: Bury | Complete) -> None:
        self.running(ref)
        self.store.conclude([Conclusion(self.store.jobs[ref], verdict, None, self.clock.now_ms() + 1)])


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_world() -> type[World]:
    return World


@pytest.fixture
def event() -> Any:
    return make_event
