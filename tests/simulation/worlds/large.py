"""Arguments, results and steps that S3 holds: S3 fails, somebody takes or changes bytes, jobs come back after weeks."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.cloud import queue_url
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import LANE, Behaviour, Conduct
from tests.simulation.jobs.large import filled
from tests.simulation.setting import Setting
from tests.simulation.stage import LARGE_BYTES
from tests.simulation.watchers.depot import Depot, audit_depot
from tests.simulation.watchers.ledger import Wanted
from tests.simulation.world import World
from tidemill.domain.ids import time_ordered_id

_CONDUCTS = (
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 2),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.DOZES, 1),
    Behaviour(Conduct.WAITS, 1),
)
_LARGE, _SMALL = LARGE_BYTES + 300, 40
_LASTS_MS = (2_000, 30_000, 120_000, 600_000)
_OTHER = {"acme": "bolt", "bolt": "acme"}


def prepare(world: World) -> int:
    """Ask for one to three jobs."""
    rng, number = world.rng, 0
    depot = world.part(Depot)
    trouble_ms = rng.choice((60_000, 300_000, 900_000))
    for _ in range(rng.choice((1, 2))):
        number += _ask(world, number, trouble_ms)
    if world.faults.is_on(Fault.ERROR):
        world.scheduler.after(rng.randrange(trouble_ms), lambda: _down(world))
    if world.faults.is_on(Fault.ACCESS_DENIED):
        world.scheduler.after(rng.randrange(trouble_ms), lambda: _deny(world, depot))
    if rng.random() < 0.25:
        world.later(rng.choice((soon(world), sometime(world, trouble_ms))), lambda: _spoil(world))
    if rng.random() < 0.1:
        world.later(soon(world) + 2, lambda: _forge(world))
    for _ in range(rng.choice((0, 0, 1, 2))):
        act = rng.choice(
            (
                world.operators.cancel,
                world.operators.redrive_at_console,
                world.operators.redrive_at_desk,
                world.operators.redrive_lane,
            )
        )
        act(sometime(world, trouble_ms))
    return trouble_ms


def archive(world: World, number: int, behaviour: Behaviour, tenant: str, **how: Any) -> Wanted:
    """One job; what of it is large, chance says."""
    rng = world.rng
    details = {
        "text": filled(f"{tenant}/text-{number}", rng.choice((_LARGE, _LARGE, _SMALL))),
        "answer": rng.choice((_LARGE, _LARGE, _SMALL)),
        "draft": rng.choice((0, 0, _LARGE)),
    }
    return want(world, number, behaviour, kind="sim.archive", tenant=tenant, details=details, **how)


def _ask(world: World, number: int, trouble_ms: int) -> int:
    rng = world.rng
    via = rng.choice(("submit", "submit", "submit", "bulk", "message"))
    count = 2 if via == "bulk" else 1
    key, tenant = f"key-{number}" if count == 1 and rng.random() < 0.4 else None, rng.choice(tuple(_OTHER))
    delay_s = rng.choice((0, 0, 0, 0, 930)) if via == "submit" else 0
    wanted = [
        archive(world, number + i, rng.choice(_CONDUCTS), tenant, via=via, key=key, delay_s=delay_s)
        for i in range(count)
    ]
    world.submitters.start(wanted, soon(world))
    if key is None:
        return count
    if rng.random() < 0.5:
        # A repeat of a live job, or a rerun of a dead one: its bytes are put once more.
        world.submitters.start(wanted, rng.choice((soon(world), sometime(world, trouble_ms))))
    elif via == "submit":
        # Other bytes under the same key.
        world.submitters.start([archive(world, number + 1, WELL, tenant, key=key)], soon(world))
        return 2
    return count


def _down(world: World) -> None:
    if not world.is_healed:
        world.take_down("s3", world.scheduler.now_ms + world.rng.choice(_LASTS_MS))


def _deny(world: World, depot: Depot) -> None:
    if not world.is_healed:
        depot.was_denied = True
        world.deny("s3", world.scheduler.now_ms + world.rng.choice(_LASTS_MS))


def _spoil(world: World) -> None:
    """Somebody deletes an object, or writes other bytes in its place."""
    keys = sorted(world.cloud.objects)
    if not keys:
        return
    key = world.rng.choice(keys)
    tenant, job_id, *_ = key.split("/")
    world.spoiled[f"{tenant}#{job_id}"] = None
    data = world.cloud.objects[key].data
    world.tell("spoiled", key)
    match world.rng.randrange(4):
        case 0:
            world.cloud.take_away(key)
        case 1:
            world.cloud.overwrite(key, data + b" ")
        case 2:
            world.cloud.overwrite(key, data[:-9])
        case _:
            world.cloud.overwrite(key, data.replace(b"|", b"!", 1))


def _forge(world: World) -> None:
    """Somebody sends a copy of another tenant's message as their own: the bytes must stay the other's."""
    bodies = [message.body for message in world.cloud.waiting(LANE) if '"stored":{' in message.body]
    if not bodies:
        return
    document = json.loads(world.rng.choice(bodies))
    document["tenant"] = _OTHER[document["tenant"]]
    document["send_id"] = time_ordered_id(world.scheduler.now_ms, world.rng.getrandbits(74))
    world.spoiled[f"{document['tenant']}#{document['id']}"] = None
    world.tell("forged", document["tenant"], document["id"])
    world.cloud.call("sqs", "SendMessage", {"QueueUrl": queue_url(LANE), "MessageBody": json.dumps(document)})
    world.poke()


SETTING = Setting(
    "large",
    "bytes too large to travel: S3 fails and denies, somebody takes or changes them, jobs come back after weeks",
    prepare,
    certain=(Fault.PAUSE_AFTER,),
    share_redriven=1,
    quiet_within_ms=4 * 3_600_000,
    audits=(audit_depot,),
)
