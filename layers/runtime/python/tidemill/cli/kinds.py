"""The kinds of the operator's own project: only its code knows what arguments a kind takes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Final

from tidemill.domain.errors import InputError
from tidemill.domain.registry import JobRegistry

# Where a project has its jobs, as its handlers and its CDK app import them.
FUNCTIONS: Final = "functions"


def registry_at(name: str) -> JobRegistry:
    """The registry that `MODULE:NAME` names, looked for in ./functions first and then where Python looks.

    Raises:
        InputError: there is none; the field is `jobs`.
    """
    module, _, attribute = name.partition(":")
    if not (module and attribute):
        raise InputError.at("jobs", f"must be MODULE:NAME such as jobs:registry, not {name!r:.100}", "format")
    sys.path.insert(0, str(Path.cwd() / FUNCTIONS))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        problem = f"{name!r:.100} can't be imported: {error}. Fix: run it in the project's folder, or name its registry"
        raise InputError.at("jobs", problem, "unknown_jobs") from error
    finally:
        sys.path.pop(0)
    if not isinstance(found, JobRegistry):
        raise InputError.at("jobs", f"{name!r:.100} is {type(found).__name__}, not a JobRegistry", "type")
    return found
