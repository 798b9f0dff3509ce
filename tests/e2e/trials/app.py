"""The tests' own application: jobs that crash, overrun and last, as one stack beside the reference application's."""

import sys
from dataclasses import replace
from pathlib import Path

from aws_cdk import App

from tidemill_cdk import DeploySettings, TidemillStack

HERE = Path(__file__).resolve().parent
FUNCTIONS = HERE / "functions"
REPOSITORY = HERE.parents[2]
sys.path.insert(0, str(FUNCTIONS))

from trials import registry  # noqa: E402 - it needs the path above

app = App()
settings = replace(
    DeploySettings.from_context(app.node.try_get_context),
    # Those of the reference application, so that one dependency layer is built for both.
    requirements=REPOSITORY / "functions" / "requirements.txt",
    cache=REPOSITORY / ".tidemill" / "build",
)
TidemillStack(app, "trials", registry=registry, code=FUNCTIONS, settings=settings)
app.synth()
