"""Processes that are ended only by those who know them.

A process id alone names nobody: the system gives it to another process as soon as its owner is gone. With the
moment of the start beside it, it is unique as long as the machine is up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Fields of /proc/<pid>/stat after the command's closing parenthesis (proc(5) counts from 1, and two come before).
_STATE: Final = 0
_START_TIME: Final = 19
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of this machine, and no other that may get its id later."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The process that has this id now; None if there is none or it has ended."""
        started = _start_of(pid)
        return cls(pid, started) if started else None

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return _start_of(self.pid) == self.started


def end_group(leader: ProcessIdentity, *, patience: float = 5.0) -> bool:
    """End a process that leads its own group, and all its children with it.

    The leader is asked first, so that it can tidy up; whatever is left of the group after `patience` seconds is
    killed. Children are asked together with it: a warm Lambda process has nothing to tidy up.

    Returns:
        False if that process was gone already. Nothing is signalled then.
    """
    if not leader.alive or os.getpgid(leader.pid) != leader.pid:
        return False
    _signal_group(leader.pid, signal.SIGTERM)
    wait_for_end(leader, patience)
    _signal_group(leader.pid, signal.SIGKILL)
    wait_for_end(leader, patience)
    return True


def wait_for_end(process: ProcessIdentity, patience: float) -> bool:
    """Whether the process ended within `patience` seconds."""
    deadline = time.monotonic() + patience
    while process.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)  # an own child stays in the process table until it is asked about
    return True


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _start_of(pid: int) -> str:
    """When the process with this id started; empty if it does not run."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if fields[_STATE] in "ZX" else f"{_boot()}:{fields[_START_TIME]}"
    listed = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    state, _, started = listed.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _boot() -> str:
    """This boot of the machine: start times count from it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
