"""What the demo promised, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Scoreboard:
    """One verdict for each name. A name without one at the end has failed: nothing is passed over in silence.

    Attributes:
        names: every check there is, in the order of the demo.
        announce: told each verdict as it falls: the name, and what is wrong ("" if nothing is).
    """

    names: tuple[str, ...]
    announce: Callable[[str, str], None]
    verdicts: dict[str, str] = field(default_factory=dict)

    def score(self, name: str, problem: str) -> None:
        """Record one verdict.

        Raises:
            ValueError: there is no such check, or it has its verdict; a bug of the demo.
        """
        if name not in self.names or name in self.verdicts:
            raise ValueError(f"{name!r} is no open check")
        self.verdicts[name] = problem
        self.announce(name, problem)

    @contextmanager
    def expecting(self, *names: str) -> Iterator[None]:
        """A part of the demo that scores these. If it breaks they fail, and the rest goes on."""
        problem = "was not checked"
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever breaks is the verdict of its checks
            problem = f"{type(error).__name__}: {error}"
        self._fail_open(names, problem)

    def close(self) -> None:
        """Fail whatever was not reached."""
        self._fail_open(self.names, "was not reached")

    @property
    def held(self) -> bool:
        """Whether every check has passed."""
        return all(self.verdicts.get(name, "missing") == "" for name in self.names)

    @property
    def summary(self) -> str:
        """The last line."""
        failed = sum(problem != "" for problem in self.verdicts.values())
        return f"{len(self.verdicts) - failed} passed, {failed} failed"

    def _fail_open(self, names: tuple[str, ...], problem: str) -> None:
        for name in names:
            if name not in self.verdicts:
                self.score(name, problem)
