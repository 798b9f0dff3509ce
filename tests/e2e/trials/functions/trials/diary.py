"""What a job leaves behind whatever becomes of its process: a line in a file, which the test reads."""

import json
import os
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from tidemill import JobArgs


class Trial(JobArgs):
    """A job that keeps a diary.

    Attributes:
        diary: the file. `name`: whose lines they are.
    """

    diary: str
    name: str = Field(default="it", max_length=40)

    def note(self, word: str, **more: Any) -> str:
        """Write a line at once: a short one is appended whole, and a killed process can't take it back."""
        line = {"name": self.name, "word": word, "pid": os.getpid(), "at_ms": time.time_ns() // 1_000_000, **more}
        with Path(self.diary).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return word

    def others(self, word: str) -> int:
        """How many others noted this word."""
        lines = map(json.loads, Path(self.diary).read_text(encoding="utf-8").splitlines())
        return len({line["name"] for line in lines if line["word"] == word} - {self.name})


class Gated(Trial):
    """A trial that is one thing before the test makes the file `gate`, and another after."""

    gate: str

    @property
    def is_open(self) -> bool:
        """Whether the test has made it."""
        return Path(self.gate).exists()
