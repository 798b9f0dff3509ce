"""Run the demo: `python -m examples.demo`. Exits 0 only if every check held."""

import signal
import sys
import time
from typing import Final

from rich.console import Console

from examples.demo.play import CHECKS, play
from examples.demo.scoreboard import Scoreboard
from examples.demo.screen import PlainScreen, Screen
from examples.demo.stage import raised_stage
from examples.demo.terminal import TerminalScreen
from tidemill.local import LocalCloudError

NOTHING_LEFT: Final = "nothing is left running"
TITLE: Final = "Tidemill: typed Python functions as durable jobs on AWS, played here on this machine alone"


def main() -> int:
    """Play, and say how it went."""
    # Whoever ends this process ends the cloud with it, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    screen: Screen = TerminalScreen(console) if console.is_terminal else PlainScreen(sys.stdout)
    board = Scoreboard((*CHECKS, NOTHING_LEFT), screen.verdict)
    began = time.monotonic()
    screen.title(TITLE)
    try:
        perform(screen, board)
    except LocalCloudError as error:
        screen.say(f"the local cloud failed: {error}")
    except KeyboardInterrupt:
        screen.say("interrupted")
    board.close()
    screen.say()
    screen.say(f"{time.monotonic() - began:.0f} s in all")
    screen.say(board.summary)
    return 0 if board.held else 1


def perform(screen: Screen, board: Scoreboard) -> None:
    """Raise the stage, play, and see that it is gone afterwards."""
    with raised_stage(screen) as stage, board.expecting(*CHECKS):
        play(stage, screen, board)
    server = stage.cloud.running.process
    board.score(NOTHING_LEFT, f"process {server.pid} still runs" if server.alive else "")


if __name__ == "__main__":
    sys.exit(main())
