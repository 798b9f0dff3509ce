"""The job that is told of a death."""

from __future__ import annotations

from tidemill.domain.args import JobArgs
from tidemill.domain.errors import DefinitionError


class DeathNotice(JobArgs):
    """What an `on_dead` job is given.

    Subclass it with a kind and name it in `@job(..., on_dead=...)`::

        class ChargeDied(DeathNotice, kind="payments.charge_died"): ...

    It carries no argument of the dead job: look the job up by `job_id` if they are needed.

    Attributes:
        job_id, dead_kind, lane, generation, attempts: of the dead job.
        reason: why it died: `attempts_exhausted`, `permanent`, `poison`, `repeating`, ...
        error: the fingerprint of its last failure, if there was one.
    """

    job_id: str
    dead_kind: str
    lane: str
    generation: int
    attempts: int
    reason: str
    error: str | None = None


def check_death_notice(where: str, args_type: type[JobArgs], notice: object) -> None:
    """Refuse an `on_dead` that is no class of its own with a kind, or that is told of the death of a notice.

    Raises:
        DefinitionError: it is; a job that is told of deaths could else be told of its own, without end.
    """
    if notice is None:
        return
    if issubclass(args_type, DeathNotice):
        raise DefinitionError(f"{where} is an on_dead job itself. Fix: leave its own on_dead out")
    if not (isinstance(notice, type) and issubclass(notice, DeathNotice) and "job_kind" in vars(notice)):
        raise DefinitionError(
            f"{where} on_dead is {notice!r}. Fix: give a class, class Died(DeathNotice, kind='...'): ..."
        )
