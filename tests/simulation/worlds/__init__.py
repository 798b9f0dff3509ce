"""The worlds: each is small and about one part of the engine. A new one is a file and a line in `WORLDS`."""

from __future__ import annotations

from tests.simulation.setting import Setting
from tests.simulation.worlds import (
    answers,
    basic,
    batches,
    calm,
    desk,
    fifo,
    fires,
    large,
    living,
    moving,
    notices,
    outage,
    outbox,
    parking,
    poison,
    redrive,
    sagas,
    schedules,
    steps,
    subscribers,
    versions,
    zombies,
)

WORLDS: dict[str, Setting] = {
    world.name: world
    for world in (
        basic.SETTING,
        calm.SETTING,
        outage.SETTING,
        parking.SETTING,
        poison.SETTING,
        redrive.SETTING,
        steps.SETTING,
        living.SETTING,
        zombies.SETTING,
        fifo.SETTING,
        large.SETTING,
        desk.SETTING,
        notices.SETTING,
        moving.SETTING,
        batches.SETTING,
        schedules.SETTING,
        fires.SETTING,
        answers.SETTING,
        sagas.SETTING,
        outbox.SETTING,
        subscribers.SETTING,
        versions.SETTING,
    )
}
