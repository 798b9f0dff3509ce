"""What can be wrong with replays, beside input. See `tidemill.domain.errors` for the tree."""

from __future__ import annotations

from collections.abc import Sequence

from tidemill.domain.errors import TidemillError


class ArchiveError(TidemillError):
    """The bus has no archive to replay from, none of the name that was given, or several and none was named."""

    code = "archive"

    def __init__(self, bus: str, names: Sequence[str]) -> None:
        problem = f"has {len(names)} archives ({', '.join(names)})" if names else "has no archive"
        fix = (
            "name one with --archive"
            if names
            else "DeploySettings(archive=days(30)), and deploy; it keeps what follows"
        )
        super().__init__(f"bus {bus!r} {problem}. Fix: {fix}")
        self.bus = bus
        self.names = tuple(names)


class ReplayExistsError(TidemillError):
    """EventBridge knows a replay of this name already; nothing was sent by this call."""

    code = "replay_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is a replay {name!r} already. Fix: `tidemill replay show {name}` tells how far it is; to send the "
            "facts once more, choose another name, and they become other jobs"
        )
        self.name = name


class ReplayNotFoundError(TidemillError):
    """EventBridge knows no replay of this name: there was none, or it is forgotten."""

    code = "replay_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no replay {name!r}. Fix: `tidemill replay list` has those that EventBridge knows")
        self.name = name


class ReplayOverError(TidemillError):
    """The replay is over, and can't be cancelled."""

    code = "replay_over"

    def __init__(self, name: str, state: str) -> None:
        super().__init__(f"replay {name!r} is {state} already. What it has sent are jobs: cancel those")
        self.name = name
        self.state = state
