"""The notice of a death: one for each death, whoever writes it and however often."""

from dataclasses import replace

from tests.builders import NOW, a_job, an_envelope
from tidemill.domain.death import DeathNotice
from tidemill.domain.lifecycle import State
from tidemill.domain.notice import notice_of


class Told(DeathNotice, kind="test.told"):
    pass


def noticed(dead, chance=7):
    return notice_of(dead, Told, "default", NOW, chance, an_envelope())


def test_one_death_has_one_notice_whoever_writes_it():
    dead = a_job(State.DEAD, reason="permanent")

    assert noticed(dead).record.ref == noticed(dead, chance=8).record.ref


def test_the_death_of_the_next_generation_has_a_notice_of_its_own():
    dead = a_job(State.DEAD, reason="permanent")
    again = replace(dead, generation=dead.generation + 1)

    first, second = noticed(dead), noticed(again)

    assert first.record.ref != second.record.ref
    assert (b'"generation":1' in first.envelope.args, b'"generation":2' in second.envelope.args) == (True, True)
