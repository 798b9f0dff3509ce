"""Those who want jobs run: programs with the client, and other systems that know only the queue."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.simulation.cloud import queue_url
from tests.simulation.jobs.behaviour import CANARY, LANE, LINE
from tests.simulation.watchers.ledger import Wanted
from tidemill import JobArgs, Submission
from tidemill.domain.errors import JobFinalError, KeyConflictError, UnavailableError
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.message import Delivery
from tidemill.entrypoints.bootstrap import Program
from tidemill.service.refusal import message_job_id
from tidemill.service.submitter import Receipt

if TYPE_CHECKING:
    from tests.simulation.world import World

TRIES = 4
_RUBBISH = (
    CANARY,
    json.dumps({"kind": "sim.unknown", "args": {"secret": CANARY}}),
    json.dumps({"kind": "sim.charge", "args": {"number": CANARY}}),
    json.dumps({"send_id": "no", "args": {"secret": CANARY}}),
)


class Submitters:
    """Starts a process for each submit."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._program = world.deployment.program

    def start(self, wanted: list[Wanted], at_ms: int) -> None:
        """Let one process ask for these jobs; more than one at once go as a bulk."""
        world = self._world
        for one in wanted:
            world.ledger.wanted[one.number] = one
        main = self._main(wanted)
        name = f"{wanted[0].via}-{wanted[0].number}"
        world.later(at_ms, lambda: world.start(name, main, role="client"))

    def send_rubbish(self, at_ms: int) -> None:
        """Let somebody send what is no job at all."""
        world = self._world
        body = world.rng.choice(_RUBBISH)

        def send() -> None:
            self._program.clients.sqs.send_message(QueueUrl=queue_url(LANE), MessageBody=body)

        world.later(at_ms, lambda: world.start("rubbish", send, role="client"))

    def _main(self, wanted: list[Wanted]) -> Any:
        match wanted[0].via:
            case "message":
                return lambda: self._send(wanted[0])
            case "bulk":
                return lambda: self._submit_many(wanted)
            case _:
                return lambda: self._submit(wanted[0])

    def _submit(self, wanted: Wanted) -> None:
        """As the docs ask: the same id or key again until there is an answer."""
        self._world.ledger.begin([wanted])
        submission = self._submission(wanted)
        options = {
            "job_id": submission.job_id,
            "key": wanted.key,
            "tenant": wanted.tenant,
            "delay": submission.delay,
            "expires_in": submission.expires_in,
            "entity": submission.entity,
            "sequence": submission.sequence,
        }
        program = self._program_of(wanted)
        for _ in range(TRIES):
            try:
                receipt = program.client.submit(submission.args, **options)
            except UnavailableError:
                self._world.scheduler.sleep(self._world.rng.choice((500, 2_000, 30_000)))
                continue
            except (KeyConflictError, JobFinalError) as error:
                self._world.ledger.refuse(wanted, error.code)
                return
            self._world.ledger.accept(wanted, receipt.job_id)
            return

    def _submit_many(self, wanted: list[Wanted]) -> None:
        self._world.ledger.begin(wanted)
        left = {one.number: (one, self._submission(one)) for one in wanted}
        for _ in range(TRIES):
            results = self._program.client.submit_many([submission for _, submission in left.values()])
            for (one, _), result in list(zip(left.values(), results, strict=True)):
                if isinstance(result, Receipt):
                    self._world.ledger.accept(one, result.job_id)
                elif not isinstance(result, UnavailableError):
                    self._world.ledger.refuse(one, result.code)
                else:
                    continue
                del left[one.number]
            if not left:
                return
            self._world.scheduler.sleep(self._world.rng.choice((500, 2_000, 30_000)))

    def _submission(self, wanted: Wanted) -> Submission:
        job_id = None
        if wanted.key is None:
            now_ms = self._world.scheduler.now_ms
            job_id = time_ordered_id(now_ms, self._world.rng.getrandbits(74))
        return Submission(
            args=self._args_of(wanted),
            key=wanted.key,
            job_id=job_id,
            tenant=wanted.tenant,
            delay=timedelta(seconds=wanted.delay_s),
            expires_in=None if wanted.expires_s is None else timedelta(seconds=wanted.expires_s),
            entity=wanted.entity,
            sequence=wanted.sequence,
        )

    def _args_of(self, wanted: Wanted) -> JobArgs:
        args_type = self._program_of(wanted).registry.resolve(wanted.kind).args_type
        return args_type(number=wanted.number, owner=wanted.tenant, **wanted.details)

    def _program_of(self, wanted: Wanted) -> Program:
        """The newest code, unless the arguments are those of the oldest."""
        return self._world.functions.deployments[-1].program if wanted.version == 1 else self._program

    def _send(self, wanted: Wanted) -> None:
        """A system that knows the queue and the document, and nothing of Tidemill."""
        document: dict[str, Any] = {
            "kind": wanted.kind,
            "tenant": wanted.tenant,
            "args": {"number": wanted.number, "owner": wanted.tenant, "secret": CANARY, **wanted.details},
        }
        if wanted.version not in (None, 1):
            document["version"] = wanted.version
        if wanted.key is not None:
            document["key"] = wanted.key
        if wanted.entity is not None:
            # Only a submit can put it in order, and a plain message on the queue of an ordered lane is refused.
            document |= {"lane": LINE, "entity": wanted.entity}
        if wanted.sequence is not None:
            document["sequence"] = wanted.sequence
        self._world.ledger.begin([wanted])
        for _ in range(TRIES):
            try:
                answer = self._program.clients.sqs.send_message(
                    QueueUrl=queue_url(LANE), MessageBody=json.dumps(document)
                )
            except (BotoCoreError, ClientError):
                self._world.scheduler.sleep(1_000)
                continue
            self._accept_message(wanted, answer["MessageId"])
            return

    def _accept_message(self, wanted: Wanted, message_id: str) -> None:
        own_id = message_job_id(wanted.tenant, wanted.kind, Delivery(message_id, "", "", 0, 0))
        if wanted.key is None:
            self._world.ledger.accept(wanted, own_id)
            return
        job_id = keyed_job_id(wanted.tenant, wanted.kind, wanted.key)
        self._world.ledger.letters[f"{wanted.tenant}#{job_id}"] = f"{wanted.tenant}#{own_id}"
        self._world.ledger.accept(wanted, job_id)
