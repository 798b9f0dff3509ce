"""What a local cloud remembers between two commands: one folder below the project, `.tidemill/local`."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tidemill.local.errors import LocalCloudError
from tidemill.local.process import ProcessIdentity


@dataclass(frozen=True)
class Running:
    """A server that was started here."""

    pid: int
    started: str
    port: int
    bootstrapped: bool = False

    @property
    def process(self) -> ProcessIdentity:
        """The server's process."""
        return ProcessIdentity(self.pid, self.started)


@dataclass(frozen=True)
class StateFolder:
    """The folder and the files in it."""

    root: Path

    @classmethod
    def of(cls, project: Path) -> StateFolder:
        """The folder of the project in this directory."""
        return cls(project.resolve() / ".tidemill" / "local")

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.root / "ministack.log"

    @property
    def scratch(self) -> Path:
        """The server's temporary folder: unpacked functions live there."""
        return self.root / "tmp"

    @property
    def assembly(self) -> Path:
        """What the CDK application synthesises for the local cloud."""
        return self.root / "cdk.out"

    @property
    def _record(self) -> Path:
        return self.root / "running.json"

    def running(self) -> Running | None:
        """The server, if it still runs. A record left by one that died is taken for what it is."""
        try:
            found = Running(**json.loads(self._record.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise LocalCloudError(f"{self._record} is damaged: {error}", fix="delete it") from None
        return found if found.process.alive else None

    def remember(self, running: Running) -> None:
        """Write the record, whole or not at all."""
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(self._record)

    def forget(self) -> None:
        """Remove what only a running server needs. Its log stays, to be read afterwards."""
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def prepare(self) -> None:
        """Make the folder, empty but for what a new server overwrites, and unseen by git."""
        self.forget()
        self.scratch.mkdir(parents=True)
        (self.root / ".gitignore").write_text("*\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time starts or stops the server of a project."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalCloudError(
                    "another command is starting or stopping this project's local cloud", fix="wait until it is done"
                ) from None
            yield
