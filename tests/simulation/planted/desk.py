"""Bugs to plant in the DLQ desk and in the notices of deaths."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted
from tidemill.aws import dead_letters, store, writer
from tidemill.aws.writer import Together
from tidemill.domain import notice
from tidemill.domain.lifecycle import Verb
from tidemill.domain.notice import Notice
from tidemill.service import announcing, auditing, bulk, canary, purging, resending
from tidemill.service.canary import CanaryEnded

# --- the desk -------------------------------------------------------------------------------------


def writes_the_intent_last(action: Any) -> Any:
    """The trail says what was done, once it is done."""

    @contextmanager
    def planted(self: Any, *given: Any, **named: Any) -> Any:
        silent = replace(self, trail=_Late(self.trail))
        with action(silent, *given, **named) as tally:
            yield tally

    return planted


class _Late:
    """A trail that is only told of ends."""

    def __init__(self, trail: Any) -> None:
        self._trail = trail

    def write(self, entry: Any) -> None:
        if entry.ended_at is not None:
            self._trail.write(entry)


def names_no_job(action: Any) -> Any:
    """The intent does not say which jobs are meant."""

    @contextmanager
    def planted(self: Any, name: str, tenant: Any = None, chosen: Any = None, manner: str = "", jobs: Any = ()) -> Any:
        with action(self, name, tenant, chosen, manner) as tally:
            yield tally

    return planted


def takes_dead_for_well(look: Any) -> Any:
    """Whatever has ended, has ended well."""

    def planted(*given: Any) -> CanaryEnded:
        ended = look(*given)
        return replace(ended, well=(*ended.well, *ended.died), died=())

    return planted


def goes_on_anyway(flock: Any) -> Any:
    """A canary that failed is told, and the others follow."""

    def planted(self: Any, birds: Any, manner: Any, care: Any, terms: Any, tally: Any) -> Any:
        yield from flock(self, birds, manner, care, terms, tally)
        tally.stopped = None

    return planted


def deletes_while_it_looks(look: Any) -> Any:
    """What a purge would delete is found out by deleting it."""

    def planted(self: Any, lane: str, wanted: Any, search: int) -> Any:
        found = look(self, lane, wanted, search)
        self.purge(found, search)
        return found

    return planted


def marks_what_it_moves(again: Any) -> Any:
    """A message that goes back says so."""

    def planted(index: int, message: Any) -> Any:
        entry = again(index, message)
        body = json.loads(entry["MessageBody"])
        return {**entry, "MessageBody": json.dumps({**body, "redriven": True})}

    return planted


def keeps_the_send_id(_: Any) -> Any:
    """The next generation is sent under the send id of the one that died."""

    def planted(what: Any, **changes: Any) -> Any:
        changes.pop("send_id", None)
        return replace(what, **changes)

    return planted


def keeps_the_fingerprint(_: Any) -> Any:
    """The record of an edited job goes on as that of its old arguments."""

    def planted(what: Any, **changes: Any) -> Any:
        if "send_id" not in changes:
            changes.pop("fingerprint", None)
        return replace(what, **changes)

    return planted


# --- notices --------------------------------------------------------------------------------------


def one_for_all_deaths(keyed: Any) -> Any:
    """A job has one notice, however often it dies."""
    return lambda tenant, kind, key: keyed(tenant, kind, key.rpartition("/")[0] if key.startswith("death/") else key)


def only_workers_tell(move: Any) -> Any:
    """A death that the census finds is nobody's business."""

    def planted(self: Any, verb: Verb, before: Any, after: Any, told: Notice | None = None) -> Any:
        return move(self, verb, before, after)

    return planted


def knows_no_reason(made: Any) -> Any:
    """A notice is made of the record as it was before the death."""
    return lambda dead, *given: made(replace(dead, reason=None), *given)


def in_two_writes(together: Any) -> Any:
    """The death first, and then its notice."""

    def planted(self: Any, operation: str, write: Together) -> Any:
        outcome = self._single(operation, write.first)
        self.table.put(operation, [action["Put"]["Item"] for action in write.others if "Put" in action])
        return outcome

    return planted


# The name, the invariant, the world, the story, and the places: see `planted.Planted`.
PLANTED: Final = (
    Planted(
        "done before it is said",
        "I23",
        "desk",
        "the trail is told of an action when it has ended",
        ((auditing.Auditor, "action", writes_the_intent_last),),
    ),
    Planted(
        "intent without jobs",
        "I23",
        "desk",
        "the intent in the trail does not say which jobs are meant",
        ((auditing.Auditor, "action", names_no_job),),
    ),
    Planted(
        "dead birds sing",
        "I23",
        "desk",
        "a canary passes when it has ended, however it ended",
        ((canary, "look", takes_dead_for_well),),
    ),
    Planted(
        "canary not heeded",
        "I23",
        "desk",
        "the others follow a canary that failed",
        ((bulk.Bulk, "_flock", goes_on_anyway),),
    ),
    Planted(
        "purge takes all",
        "I23",
        "desk",
        "a purge takes messages of jobs that are not over",
        ((purging, "_is_evidence", lambda _: lambda *__: True),),
    ),
    Planted(
        "a look that deletes",
        "I23",
        "desk",
        "what a purge would delete is deleted by the look before it",
        ((purging.Purging, "look", deletes_while_it_looks),),
    ),
    Planted(
        "moved and marked",
        "I23",
        "desk",
        "our own move notes in a message that it was moved",
        ((dead_letters, "_again", marks_what_it_moves),),
    ),
    Planted(
        "old send id",
        "I23",
        "desk",
        "a job that is sent from the table keeps the send id that it died with",
        ((resending, "replace", keeps_the_send_id),),
    ),
    Planted(
        "edited in the message only",
        "I23",
        "desk",
        "the record of an edited job keeps the fingerprint of its old arguments",
        ((resending, "replace", keeps_the_fingerprint),),
    ),
    Planted(
        "death told to nobody",
        "I24",
        "notices",
        "a job dies without its notice",
        ((announcing, "notice_of", lambda _: lambda *__: None),),
    ),
    Planted(
        "one notice for all deaths",
        "I24",
        "notices",
        "the id of a notice does not depend on the generation that died",
        ((notice, "keyed_job_id", one_for_all_deaths),),
    ),
    Planted(
        "only workers tell",
        "I24",
        "notices",
        "a death that the census records has no notice",
        ((store.DynamoJobStore, "move", only_workers_tell),),
    ),
    Planted(
        "notice without reason",
        "I24",
        "notices",
        "a notice is made of the record as it was before the death",
        ((announcing, "notice_of", knows_no_reason),),
    ),
    Planted(
        "death and notice apart",
        "I24",
        "notices",
        "the death is written first, its notice after it",
        ((writer.ConditionalWriter, "_together", in_two_writes),),
    ),
)
