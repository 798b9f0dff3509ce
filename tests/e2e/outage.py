"""A dependency that refuses connections until somebody ends its outage."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.ground import Ground
from tidemill.domain.job import JobRef


@dataclass(frozen=True)
class Outage:
    """One job that needs the dependency, and how long it has been waiting."""

    ref: JobRef
    dependency: socket.socket
    began: float

    @classmethod
    @contextmanager
    def begun(cls, ground: Ground) -> Iterator["Outage"]:
        """Submit the job while nobody listens on the port, which is held so that nobody else gets it."""
        from trials.outside import Call

        with socket.socket() as dependency:
            dependency.bind(("127.0.0.1", 0))
            call = Call(diary=str(ground.diary("outage").path), port=dependency.getsockname()[1])
            yield cls(ground.client.submit(call).job.ref, dependency, time.monotonic())

    @property
    def lasted_s(self) -> float:
        return time.monotonic() - self.began

    def end(self) -> None:
        """From now on the system accepts connections to the port."""
        self.dependency.listen()
