"""The programs of the docs about time and flow, as they stand there, as one stack."""

import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from aws_cdk import App

from tidemill_cdk import DeploySettings, TidemillStack

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [str(HERE / "functions"), str(REPOSITORY)]

from guides import registry  # noqa: E402 - it needs the path above

with TemporaryDirectory() as folder:
    code = Path(folder) / "functions"
    compiled = ignore_patterns("__pycache__")
    copytree(HERE / "functions", code, ignore=compiled)
    copytree(REPOSITORY / "examples" / "guide", code / "examples" / "guide", ignore=compiled)
    app = App()
    settings = replace(
        DeploySettings.from_context(app.node.try_get_context),
        # Those of the reference application, so that one dependency layer is built for both.
        requirements=REPOSITORY / "functions" / "requirements.txt",
        cache=REPOSITORY / ".tidemill" / "build",
    )
    TidemillStack(app, "guides", registry=registry, code=code, settings=settings)
    app.synth()
