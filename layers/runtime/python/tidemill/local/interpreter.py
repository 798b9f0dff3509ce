"""The interpreter that runs functions locally, as bare as Lambda's.

MiniStack runs functions with its own interpreter. Left at that, a function would find every package of the developer's
environment, and a dependency that its layer lacks would be missed on AWS only. So functions get an environment of
their own, holding what Lambda's Python runtimes bring and nothing else.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path
from typing import Final

# boto3 and what it needs: all that AWS adds to the standard library.
LAMBDA_BRINGS: Final = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")


def bare_interpreter(folder: Path) -> Path:
    """Make the environment in `folder`, by links into the present one.

    Returns:
        Its `python`.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False, clear=True).create(folder)
    site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    for name in LAMBDA_BRINGS:
        source = _source(name)
        (site_packages / source.name).symlink_to(source)
    return folder / "bin" / Path(sys.executable).name


def _source(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin
