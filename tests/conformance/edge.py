"""One corner of a service: a few requests, and what the last of them comes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.conformance.compare import plain
from tests.conformance.subjects import Answer, Subject

Arguments = dict[str, Any] | Callable[[list[Answer]], dict[str, Any]]
Request = tuple[str, str, Arguments]

CLOCK = "clock"
NOT_TRIED = "its clock can't be moved"


@dataclass(frozen=True)
class Edge:
    """A corner.

    Attributes:
        requests: each with its arguments, or with what makes them from the answers so far.
        shows: what of the last answer matters; its error's code, else `ok`, where it is None.
    """

    name: str
    requests: Sequence[Request]
    shows: Callable[[Answer], Any] | None = None

    def outcome(self, subject: Subject) -> str:
        """What it comes to in one place, in a word or two."""
        answers: list[Answer] = []
        for service, operation, arguments in self.requests:
            if service == CLOCK:
                try:
                    subject.wait(int(operation))
                except NotImplementedError:
                    return NOT_TRIED
                continue
            given = arguments(answers) if callable(arguments) else arguments
            answers.append(subject.run(service, operation, given))
        last = answers[-1]
        if "Error" in last:
            return str(last["Error"])
        return "ok" if self.shows is None else str(self.shows(plain(last)))
