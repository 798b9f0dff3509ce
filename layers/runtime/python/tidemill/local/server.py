"""The server process: `python -m tidemill.local.server SCRATCH [PID STARTED]`.

It becomes MiniStack, with three differences: functions run on a bare interpreter, Scheduler fills in its attributes,
and a server that belongs to a test run or to the demo ends when that program does, however it ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

from tidemill.local.interpreter import bare_interpreter
from tidemill.local.process import ProcessIdentity
from tidemill.local.scheduler import fill_in_attributes

_CHECK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 5.0


def main(arguments: list[str]) -> None:
    """Serve until told to stop."""
    scratch, *owner = arguments
    if owner:
        pid, started = owner
        watch = threading.Thread(target=_end_with, args=(ProcessIdentity(int(pid), started),), daemon=True)
        watch.start()
    sys.executable = str(bare_interpreter(Path(scratch) / "python"))
    sys.argv = ["ministack"]
    from ministack.app import main as serve
    from ministack.services import eventbridge

    fill_in_attributes(eventbridge)
    serve()


def _end_with(owner: ProcessIdentity) -> None:
    """End this process and its warm functions once the owner is gone."""
    while owner.alive:
        time.sleep(_CHECK_SECONDS)
    # The starter made this process the leader of a group of its own; its functions are the other members.
    os.killpg(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
