"""Starting the server and waiting until it answers."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tidemill.local.environment import HOST, server_environment
from tidemill.local.errors import LocalCloudError
from tidemill.local.process import ProcessIdentity, end_group
from tidemill.local.state import Running, StateFolder

READY: Final = "/_ministack/ready"
_PATIENCE_SECONDS: Final = 60.0  # it takes under a second on a quiet machine
_POLL_SECONDS: Final = 0.05
_LOG_LINES: Final = 20


def start_server(folder: StateFolder, *, port: int | None, owner: ProcessIdentity | None) -> Running:
    """Start MiniStack in a process group of its own and wait until it answers.

    Args:
        port: the port to listen on; None for any that is free.
        owner: end with this process, however it ends; None to stay until told to stop.
    """
    if find_spec("ministack") is None:
        raise LocalCloudError("MiniStack is not installed", fix="pip install 'tidemill[local]'")
    chosen = _free_port() if port is None else _require_free(port)
    folder.prepare()
    command = [sys.executable, "-m", "tidemill.local.server", str(folder.scratch)]
    command += [str(owner.pid), owner.started] if owner else []
    with folder.log.open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder.root,
            env=server_environment(os.environ, chosen, str(folder.scratch)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = ProcessIdentity.of(server.pid)
    if identity is None or not _answers(server, chosen):
        if identity is not None:
            end_group(identity)
        raise LocalCloudError(
            f"MiniStack did not start on port {chosen}", fix=f"see {folder.log}", log=last_lines(folder.log)
        )
    server.returncode = 0  # from here on its identity is the handle; a Popen would complain of what it leaves behind
    running = Running(identity.pid, identity.started, chosen)
    folder.remember(running)
    return running


def last_lines(path: Path, count: int = _LOG_LINES) -> str:
    """The end of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:]) if path.exists() else ""


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the server came up. One that ended cannot be the one that answers."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if _ready(port):
            return server.poll() is None
        time.sleep(_POLL_SECONDS)
    return False


def _ready(port: int) -> bool:
    with closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        try:
            connection.request("GET", READY)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require_free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was closed a moment ago is free
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise LocalCloudError(
                f"port {port} is not to be had: {error}", fix="choose another, or leave it out"
            ) from None
    return port
