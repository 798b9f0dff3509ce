"""A stack that is one pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import Stack, Tags
from constructs import Construct

from tidemill.domain.registry import JobRegistry
from tidemill_cdk.pipeline import TidemillPipeline
from tidemill_cdk.settings import DeploySettings


class TidemillStack(Stack):
    """One pipeline under the stack's name. `pipeline` is open for grants; add what the jobs need beside it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        registry: JobRegistry,
        code: Path | str,
        settings: DeploySettings | None = None,
        **options: Any,
    ) -> None:
        super().__init__(scope, id_, **options)
        self.settings = settings or DeploySettings()
        self.pipeline = TidemillPipeline(self, "Pipeline", registry=registry, code=code, settings=self.settings)
        Tags.of(self).add("tidemill:stack", self.stack_name)
