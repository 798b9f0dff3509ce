"""Jobs and callers that commit facts and jobs, and a relay that is late, split, repeated, trimmed or off."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.simulation.asking import TENANTS, WELL, sometime, soon, want
from tests.simulation.cloud import TABLE
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.telling import KIND, Told
from tests.simulation.setting import Setting
from tests.simulation.stream import Stream
from tests.simulation.submitters import TRIES
from tests.simulation.watchers.invariants import Violation
from tests.simulation.watchers.ledger import Wanted
from tests.simulation.watchers.outbox import Outboxes, audit_outbox
from tests.simulation.world import World
from tidemill import Submission, seconds
from tidemill.domain.errors import JobNotFoundError, UnavailableError
from tidemill.events import Publication

_CONDUCTS = (
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 2),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, 3),
    Behaviour(Conduct.HANGS, 1),
    Behaviour(Conduct.WAITS, 1),
)


def prepare(world: World) -> int:
    """Ask for a job or two that tell something, let callers commit some, and let the stream have its weather."""
    rng = world.rng
    trouble_ms = rng.choice((60_000, 300_000, 1_200_000))
    # Before any other watcher is asked: what is late must be known to be there.
    outboxes, stream = world.part(Outboxes), world.part(Stream)
    numbers = iter(range(100))
    for _ in range(rng.choice((0, 1, 1, 2))):
        _ask(world, outboxes, numbers)
    for place in range(rng.choice((0, 1, 1, 2))):
        _commit(world, outboxes, f"shop#{place}", numbers, soon(world))
    if rng.random() < 0.2:
        _commit_one_key_twice(world, outboxes, numbers, trouble_ms)
    if rng.random() < 0.3:
        _switch_off(world, stream, trouble_ms)
    if rng.random() < 0.2:
        at_ms, service = sometime(world, trouble_ms), rng.choice(("events", "events", "sqs"))
        world.later(at_ms, lambda: world.take_down(service, world.scheduler.now_ms + rng.choice((5_000, 200_000))))
    if rng.random() < 0.3:
        world.operators.redrive_at_desk(sometime(world, trouble_ms))
    if rng.random() < 0.2:
        world.operators.cancel(sometime(world, trouble_ms))
    return trouble_ms


def _ask(world: World, outboxes: Outboxes, numbers: Any) -> None:
    rng = world.rng
    children = tuple(_child(world, outboxes, next(numbers), "acme").number for _ in range(rng.choice((0, 1, 1, 3))))
    wanted = want(
        world,
        next(numbers),
        rng.choice(_CONDUCTS),
        kind=KIND,
        tenant="acme",
        via=rng.choice(("submit", "submit", "message")),
        key="tell" if rng.random() < 0.2 else None,
        details={"facts": rng.choice((0, 1, 4, 12)), "children": children, "late": rng.random() < 0.6},
    )
    if wanted.via == "message":
        # Sent twice it would be two jobs, each with children of one number.
        wanted = Wanted(**{**_fields(wanted), "via": "submit"})
    world.submitters.start([wanted], soon(world))


def _fields(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}


def _child(world: World, outboxes: Outboxes, number: int, tenant: str, key: str | None = None) -> Wanted:
    """A job that nobody but the relay sends."""
    wanted = want(
        world,
        number,
        world.rng.choice((WELL, WELL, Behaviour(Conduct.FAILS, 1))),
        kind="sim.charge",
        tenant=tenant,
        key=key,
    )
    world.ledger.wanted[number] = wanted
    outboxes.numbers[number] = None
    return wanted


def _commit(world: World, outboxes: Outboxes, order: str, numbers: Any, at_ms: int, key: str | None = None) -> None:
    """Somebody places an order, and commits with it what others are to do and hear."""
    rng = world.rng
    tenant = rng.choice(TENANTS)
    children = [_child(world, outboxes, next(numbers), tenant, key) for _ in range(1 if key else rng.choice((0, 1, 2)))]
    facts = rng.choice((0, 1, 5)) if children else rng.choice((1, 4, 11))
    is_refused, repeats = rng.random() < 0.15, rng.random() < 0.15
    delay = seconds(rng.choice((0, 0, 0, 20, 1_200)))

    def place() -> None:
        args = world.deployment.registry.resolve("sim.charge").args_type
        things: list[Any] = [
            Submission(args(number=one.number, owner=tenant), tenant=tenant, key=key, delay=delay) for one in children
        ]
        things += [Publication(Told(number=0, place=place_), tenant=tenant) for place_ in range(facts)]
        client = world.deployment.program.client
        items = client.transact_items(*things)
        outboxes.orders[order] = tuple(item["Put"]["Item"]["sk"]["S"] for item in items)
        mine: list[Any] = [{"Put": {"TableName": TABLE, "Item": {"pk": {"S": order}, "sk": {"S": "ORDER"}}}}]
        if is_refused:
            missing = {"pk": {"S": "shop#stock"}, "sk": {"S": "STOCK"}}
            condition = {"TableName": TABLE, "Key": missing, "ConditionExpression": "attribute_exists(pk)"}
            mine.append({"ConditionCheck": condition})
        for _ in range(TRIES):
            if _transact(world, [*mine, *items]):
                _look_for(world, client, items.ids[: len(children)], tenant)
                if not repeats:
                    return
            world.scheduler.sleep(rng.choice((500, 5_000)))

    world.later(at_ms, lambda: world.start(f"order-{order}", place, role="client"))


def _transact(world: World, actions: list[Any]) -> bool:
    try:
        world.deployment.program.clients.dynamodb.transact_write_items(TransactItems=actions)
    except (BotoCoreError, ClientError):
        return False
    return True


def _look_for(world: World, client: Any, ids: tuple[str, ...], tenant: str) -> None:
    """What was committed is there for whoever looks, before it was sent and after."""
    for job_id in ids:
        try:
            client.get(job_id, tenant)
        except UnavailableError:
            continue
        except JobNotFoundError:
            if not world.is_forgotten(f"{tenant}#{job_id}"):
                raise Violation("I10", f"{tenant}#{job_id} is committed, and nobody finds it") from None
        except (BotoCoreError, ClientError):
            continue


def _commit_one_key_twice(world: World, outboxes: Outboxes, numbers: Any, trouble_ms: int) -> None:
    """Two orders for one key with other arguments: both commit, and one of them gets the key."""
    at_ms = soon(world)
    _commit(world, outboxes, "shop#key-1", numbers, at_ms, key="once")
    _commit(
        world,
        outboxes,
        "shop#key-2",
        numbers,
        at_ms if world.rng.random() < 0.5 else sometime(world, trouble_ms),
        "once",
    )


def _switch_off(world: World, stream: Stream, trouble_ms: int) -> None:
    """The relay's mapping is off for a while, for so long that its stream forgets, or for good."""
    rng = world.rng
    ends_ms = world.scheduler.now_ms + trouble_ms - 1
    at_ms = sometime(world, trouble_ms) if rng.random() < 0.5 else world.scheduler.now_ms
    # As long as a day, as far as the stream is concerned: nothing else may be that far away, or nobody would look.
    forgets, lasts_ms = rng.choice(((False, 30_000), (False, 300_000), (True, trouble_ms), (False, None)))

    def off() -> None:
        stream.is_enabled = False
        if lasts_ms is not None:
            world.later(min(world.scheduler.now_ms + lasts_ms, ends_ms), on)

    def on() -> None:
        if forgets:
            stream.trim()
        stream.is_enabled = True
        stream.poke()

    world.later(at_ms, off)


SETTING = Setting(
    "outbox",
    "facts and jobs that are committed with a job's success or a caller's transaction, and a stream that is late, "
    "comes twice, is split, trimmed, or off for a day",
    prepare,
    kinds=tuple(Fault),
    certain=(Fault.PARTIAL,),
    share_redriven=0.3,
    audits=(audit_outbox,),
    has_outbox=True,
)
