"""The reference application: the jobs of `functions/` as one stack, and a bucket for their pictures."""

import sys
from pathlib import Path

from aws_cdk import App

from tidemill_cdk import DeploySettings, PrivateBucket, TidemillStack, add_output

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
sys.path.insert(0, str(FUNCTIONS))  # so that `jobs` is imported here as it is inside Lambda

from jobs import registry  # noqa: E402 - it needs the path above

app = App()
context = app.node.try_get_context
settings = DeploySettings.from_context(context)
stack = TidemillStack(app, context("stack") or "tidemill", registry=registry, code=FUNCTIONS, settings=settings)

media = PrivateBucket(stack, "Media", name="Media", settings=settings)
media.grant_read(stack.pipeline.worker("bulk").role)
media.grant_write(stack.pipeline.worker("bulk").role)
add_output(stack, "MediaBucket", media.bucket_name, "Where thumbnails come from and go to")

app.synth()
