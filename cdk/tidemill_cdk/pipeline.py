"""The public construct: from a registry to everything that runs its jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from aws_cdk import Stack
from constructs import Construct

from tidemill.domain import limits
from tidemill.domain.lane import Lane
from tidemill.domain.registry import JobRegistry
from tidemill.domain.sizing import LaneSizing, size_lane
from tidemill.settings import LaneSettings, RuntimeSettings
from tidemill_cdk.alarms import Alarms
from tidemill_cdk.api import JobsApi
from tidemill_cdk.bucket import PrivateBucket
from tidemill_cdk.checks import check_on_synth
from tidemill_cdk.connecting import connect_sagas, keep_secrets
from tidemill_cdk.dashboard import LanesDashboard
from tidemill_cdk.environment import FunctionEnvironment
from tidemill_cdk.events import EventStore
from tidemill_cdk.janitor import Janitor
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.naming import pascal
from tidemill_cdk.outputs import add_outputs
from tidemill_cdk.projector import Projector
from tidemill_cdk.queue import LaneQueue
from tidemill_cdk.relay import EventsBus, Relay, let_commit
from tidemill_cdk.saga import SagaMachine, arns_of, machine_id
from tidemill_cdk.schedules import Schedules
from tidemill_cdk.schemas import check_schemas
from tidemill_cdk.settings import DeployError, DeploySettings
from tidemill_cdk.subscriptions import Subscriptions
from tidemill_cdk.table import IdempotencyTable, JobsTable
from tidemill_cdk.watching import watch_all
from tidemill_cdk.worker import LaneWorker, Stores


class TidemillPipeline(Construct):
    """Queues, workers, tables, API, janitor, schedules and alarms for the jobs of one registry; one a stack.

        pipeline = TidemillPipeline(stack, "Pipeline", registry=registry, code=Path("functions"))
        table.grant_read_data(pipeline.worker("bulk").role)

    Guarantees that every number of a lane follows from what its jobs declare, that each function's role allows only
    what is listed in `permissions.py`, and that synthesis fails, with the fix, when a rule of `checks.py` is broken.

    Arguments:
        registry: the jobs and their lanes.
        code: the folder with `jobs/` and the `handler.py` of each function that the registry needs; its
            `requirements.txt`, if there is one, names the jobs' dependencies, and its `schemas/`, if there is one,
            holds what `tidemill schema snapshot` wrote.
        settings: the deployment's choices.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        registry: JobRegistry,
        code: Path | str,
        settings: DeploySettings | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.settings = settings or DeploySettings()
        self.stores = self._build_stores()
        self.event_store = EventStore.of(self, "EventStore", registry=registry, settings=self.settings)
        self._code = FunctionCode(self, "Code", code=Path(code), settings=self.settings)
        sizings = {name: size_lane(lane, registry.in_lane(name)) for name, lane in registry.lanes.items()}
        # Every function knows every queue, so all queues come before the first function.
        queues = self._build_queues(registry, sizings)
        self.sagas = self._build_machines(registry, queues)
        # Workers make links to the API. Its address comes before them, its function after: no cycle.
        self.api = JobsApi(self, "Api", settings=self.settings)
        has_bus = registry.events or registry.subscriptions
        self.bus = EventsBus(self, "Events", kept_for=self.settings.archive) if has_bus else None
        self.runtime_settings = self._runtime_settings(registry, queues)
        self._environment = FunctionEnvironment(self.runtime_settings)
        self.lanes: Mapping[str, BuiltLane] = {
            name: BuiltLane(lane, sizings[name], queues[name], self._build_worker(lane, sizings[name]))
            for name, lane in registry.lanes.items()
        }
        self._feed(registry, queues)
        self.api.answer_with(self._code, self._environment.of())
        self.api.serve(queues.values(), self.stores)
        self.janitor = self._build_janitor(queues)
        self.relay = self._build_relay(queues.values()) if registry.has_outbox else None
        connect_sagas(self.sagas, self.lanes, self.api, self.janitor)
        self.projector = Projector.of(
            self, "Projector", self.event_store, self._code, self._environment.of(), self.settings, self.lanes
        )
        relays = [] if self.relay is None else [self.relay.role]
        keep_secrets(self.stores.jobs, self.lanes, [self.api.endpoint.role, self.janitor.role, *relays])
        self.schedules = Schedules.of(self, "Schedules", registry=registry, lanes=self.lanes)
        self.subscriptions = self._build_subscriptions(registry)
        LanesDashboard(self, "Lanes", lanes=self.lanes.values())
        watch_all(Alarms(self, "Alarms", settings=self.settings), self)
        add_outputs(self, self.runtime_settings, self.api.url)
        check_on_synth(self, registry, check_schemas(self, registry, Path(code)))

    def _feed(self, registry: JobRegistry, queues: Mapping[str, LaneQueue]) -> None:
        asks = any(definition.answers for definition in registry)
        for built in self.lanes.values():
            built.worker.consume(built.queue, queues.values(), self.stores)
            # No webhook loads a stream, and none waits for an answer.
            if self.event_store is not None and not built.worker.tells:
                self.event_store.serve(built.worker.role)
            if asks and not built.worker.tells:
                built.worker.answer(self.stores)

    def worker(self, lane: str) -> LaneWorker:
        """The worker of a lane, to grant its `role` what the lane's jobs need.

        Raises:
            DeployError: the registry has no such lane.
        """
        if lane not in self.lanes:
            raise DeployError(f"there is no lane {lane!r}. Fix: name one of {', '.join(self.lanes)}")
        return self.lanes[lane].worker

    def _build_stores(self) -> Stores:
        settings = self.settings
        life, lives = limits.PAYLOAD_LIFE, limits.RESULT_LIVES
        return Stores(
            jobs=JobsTable(self, "Jobs", settings=settings),
            idempotency=IdempotencyTable(self, "Idempotency", settings=settings),
            payloads=PrivateBucket(
                self, "Payloads", name="Payloads", settings=settings, expire_after=life, lives=lives
            ),
        )

    def _build_queues(self, registry: JobRegistry, sizings: Mapping[str, LaneSizing]) -> dict[str, LaneQueue]:
        return {
            name: LaneQueue(self, f"{pascal(name)}Queue", lane=lane, sizing=sizings[name])
            for name, lane in registry.lanes.items()
        }

    def _build_machines(self, registry: JobRegistry, queues: Mapping[str, LaneQueue]) -> Mapping[str, SagaMachine]:
        return {
            name: SagaMachine(self, f"{machine_id(name)}Saga", saga=saga, queues=queues, settings=self.settings)
            for name, saga in registry.sagas.items()
        }

    def _build_relay(self, queues: Collection[LaneQueue]) -> Relay:
        relay = Relay(
            self, "Relay", code=self._code, environment=self._environment.of(publishes=True), settings=self.settings
        )
        relay.send(queues, self.stores)
        # No delivery looks for a job that is not sent yet.
        workers = [built.worker for built in self.lanes.values() if not built.worker.tells]
        let_commit(self.stores, self.bus, janitor=self.janitor, relay=relay, workers=workers)
        return relay

    def _build_subscriptions(self, registry: JobRegistry) -> Subscriptions | None:
        if self.bus is None or not registry.subscriptions:
            return None
        return Subscriptions(self, "Subscriptions", registry=registry, lanes=self.lanes, bus=self.bus.name)

    def _build_janitor(self, queues: Mapping[str, LaneQueue]) -> Janitor:
        janitor = Janitor(
            self, "Janitor", code=self._code, environment=self._environment.of(publishes=True), settings=self.settings
        )
        janitor.sweep(queues.values(), self.stores)
        return janitor

    def _runtime_settings(self, registry: JobRegistry, queues: Mapping[str, LaneQueue]) -> RuntimeSettings:
        return RuntimeSettings(
            stack=Stack.of(self).stack_name,
            table=self.stores.jobs.table.table_name,
            lanes={
                name: LaneSettings(queue_url=lane.queue.queue_url, dlq_url=lane.dlq.queue_url)
                for name, lane in queues.items()
            },
            list_index=self.settings.list_index,
            payload_bucket=self.stores.payloads.bucket_name,
            tenant_claim=self.settings.jwt.tenant_claim if self.settings.jwt else "",
            idempotency_table=self.stores.idempotency.table.table_name,
            code_version=self._code.version,
            api_url=self.api.public_url,
            sagas=arns_of(self.sagas.values()),
            outbox=registry.has_outbox,
            webhooks=registry.webhooks,
            bus="" if self.bus is None else self.bus.name,
            **(self.event_store.names if self.event_store is not None else {}),
        )

    def _build_worker(self, lane: Lane, sizing: LaneSizing) -> LaneWorker:
        return LaneWorker(
            self,
            f"{pascal(lane.name)}Worker",
            lane=lane,
            sizing=sizing,
            code=self._code,
            environment=self._environment.of(lane.name),
            settings=self.settings,
        )
