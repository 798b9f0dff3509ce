"""The infrastructure: everything is derived from the registry in functions/jobs."""

import sys
from pathlib import Path

from aws_cdk import App

from tidemill_cdk import DeploySettings, TidemillStack

FUNCTIONS = Path(__file__).resolve().parent / "functions"
sys.path.insert(0, str(FUNCTIONS))

from jobs import registry  # noqa: E402 - it needs the path above

app = App()
context = app.node.try_get_context
settings = DeploySettings.from_context(context)
TidemillStack(app, context("stack") or "tidemill", registry=registry, code=FUNCTIONS, settings=settings)
app.synth()
