"""Bytecode for the layers: modules that are compiled ahead import in half the time on a cold start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import uv


def find_interpreter(version: str) -> str | None:
    """The path of a Python of this minor version on this machine, or None. Nothing is downloaded.

    Bytecode is read only by the minor version that wrote it, so another one is no help.
    """
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    options = ["--no-python-downloads", "--no-project", "--no-config"]
    # The arguments are ours; the version is one of settings.PYTHONS.
    found = subprocess.run(  # noqa: S603 - a program of this environment, arguments of ours
        [uv.find_uv_bin(), "python", "find", *options, version], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None if found.returncode == 0 else None


def compile_folder(interpreter: str, folder: Path) -> None:
    """Write bytecode beside every module of `folder`.

    It is marked as never to be checked against its source: the CDK's archives set every file's time
    to 1980, so a time stamp would never match, Python would compile anew on every cold start, and
    Lambda's folders can't be written to.
    """
    mode = ["--invalidation-mode", "unchecked-hash"]
    # A file that does not compile (a template, a test's bad example) is left as it is: -q -q says nothing.
    subprocess.run(  # noqa: S603 - a program of this environment, arguments of ours
        [interpreter, "-m", "compileall", "-q", "-q", "-j", "0", *mode, str(folder)], check=False
    )
