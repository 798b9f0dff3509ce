"""What can be wrong with a request about a schedule, beside its input. See `tidemill.domain.errors` for the tree."""

from __future__ import annotations

from tidemill.domain.errors import TidemillError


class ScheduleNotFoundError(TidemillError):
    """No such schedule for this tenant: never made, or deleted; or no such version of it."""

    code = "schedule_not_found"

    def __init__(self, tenant: str, name: str, version: int | None = None) -> None:
        what = f"schedule {name!r}" if version is None else f"version {version} of schedule {name!r}"
        fix = "see what there is with `tidemill schedule " + ("list`" if version is None else "versions`")
        super().__init__(f"tenant {tenant!r} has no {what}. Fix: {fix}")
        self.tenant = tenant
        self.name = name
        self.version = version


class ScheduleExistsError(TidemillError):
    """The tenant has a schedule of this name that does something else."""

    code = "schedule_exists"

    def __init__(self, tenant: str, name: str, version: int) -> None:
        super().__init__(
            f"tenant {tenant!r} has a schedule {name!r} already, in version {version}. "
            "Fix: change that one, or choose another name"
        )
        self.tenant = tenant
        self.name = name
        self.version = version


class StaleVersionError(TidemillError):
    """The schedule is not in the version that the caller knows; nothing was changed."""

    code = "stale_version"

    def __init__(self, name: str, asked: int, version: int, changed_by: str) -> None:
        super().__init__(
            f"schedule {name!r} is in version {version}, last changed by {changed_by}, not in version {asked}. "
            "Fix: look at what was changed, and repeat the change against that version"
        )
        self.name = name
        self.asked = asked
        self.version = version


class TooManySchedulesError(TidemillError):
    """The tenant has as many schedules as one may have."""

    code = "too_many_schedules"

    def __init__(self, tenant: str, limit: int) -> None:
        super().__init__(f"tenant {tenant!r} has {limit} schedules, the limit. Fix: delete one that is not needed")
        self.tenant = tenant
        self.limit = limit
