"""What can go wrong with a local cloud."""

from __future__ import annotations


class LocalCloudError(Exception):
    """Something that the person at the keyboard can mend.

    Attributes:
        problem: what happened.
        fix: what to do about it.
        log: the last lines of the program that failed, if it said anything.
    """

    def __init__(self, problem: str, *, fix: str, log: str = "") -> None:
        super().__init__("\n".join(part for part in (log, f"{problem}. Fix: {fix}") if part))
        self.problem = problem
        self.fix = fix
        self.log = log
