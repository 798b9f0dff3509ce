"""What must hold between a program's sagas and its jobs and lanes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidemill.domain.errors import DefinitionError
from tidemill.domain.lane import Lane
from tidemill.domain.saga.declaring import AnyJob
from tidemill.domain.saga.room import LEAST, room_for_args
from tidemill.domain.saga.saga import Saga


def by_name(sagas: object) -> dict[str, Saga]:
    """The sagas by name.

    Raises:
        DefinitionError: something in the list is no saga, or two are named alike.
    """
    if not isinstance(sagas, Iterable):
        raise DefinitionError(f"sagas is {sagas!r}. Fix: sagas=[place_order]")
    named: dict[str, Saga] = {}
    # CloudFormation's logical ids hold letters and digits only.
    plain: dict[str, str] = {}
    for saga in sagas:
        if not isinstance(saga, Saga):
            raise DefinitionError(f"{saga!r} in `sagas` is no saga. Fix: give Saga('...', Args, steps=[...])")
        if saga.name in named:
            raise DefinitionError(f"two sagas are named {saga.name!r}. Fix: rename one")
        twin = plain.setdefault("".join(filter(str.isalnum, saga.name)), saga.name)
        if twin != saga.name:
            raise DefinitionError(f"sagas {twin!r} and {saga.name!r} differ in . _ and - only. Fix: rename one")
        named[saga.name] = saga
    return named


def check_saga(saga: Saga, kinds: Mapping[str, AnyJob], lanes: Mapping[str, Lane]) -> None:
    """Refuse a saga whose jobs are not listed, or can't be started by a state machine.

    Raises:
        DefinitionError: the message names the saga, the step and the fix.
    """
    if room_for_args(saga) < LEAST:
        raise DefinitionError(
            f"saga {saga.name!r} leaves no room for its arguments: each of its branches carries what all steps tell. "
            "Fix: let fewer steps be referred to, or run fewer branches beside each other"
        )
    for one in saga:
        for what, job in (("", one.job), ("the compensation of ", one.compensate.job if one.compensate else None)):
            if job is None:
                continue
            where = f"saga {saga.name!r}: {what}step {one.name!r}"
            listed = kinds.get(job.kind)
            # Not by identity: a test watches the same jobs through other definitions.
            if listed is None or listed.args_type is not job.args_type:
                raise DefinitionError(
                    f"{where} is job {job.kind!r}, which is not listed. Fix: JobRegistry(..., that job)"
                )
            if lanes[job.lane].fifo:
                # A plain message, as a state machine sends it, can't be made a job there and keep its place.
                raise DefinitionError(
                    f"{where} is job {job.kind!r} of FIFO lane {job.lane!r}, which takes no message of a "
                    "state machine. Fix: give the job a standard lane"
                )
