"""The unmodified CDK command line, pointed at the local cloud."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidemill.local.environment import ACCOUNT, REGION
from tidemill.local.errors import LocalCloudError
from tidemill.local.toolchain import cdk_environment, find_cdk

_QUIET: Final = ("--ci", "--no-notices", "--no-color")
_SAID_LINES: Final = 40


@dataclass(frozen=True)
class CdkProject:
    """A folder with a `cdk.json`.

    Attributes:
        directory: that folder.
        assembly: where to synthesise to, apart from what is meant for AWS.
        environment: the variables that point at the local cloud.
    """

    directory: Path
    assembly: Path
    environment: Mapping[str, str]

    def check(self) -> None:
        """See that there is an application and a command line to deploy it with, before anything is started.

        Raises:
            LocalCloudError: one of them is missing.
        """
        if not (self.directory / "cdk.json").exists():
            raise LocalCloudError(
                f"no cdk.json in {self.directory.resolve()}", fix="run this in the folder of your CDK application"
            )
        find_cdk(cdk_environment(self.directory, self.environment)["PATH"])

    def bootstrap(self) -> None:
        """Make the bucket and the roles that CDK deploys with. The application is not needed for that."""
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "")

    def deploy(self, stacks: Sequence[str] = (), context: Mapping[str, str] | None = None) -> str:
        """Synthesise with the context `local=true` and deploy, all stacks unless some are named.

        Returns:
            What the command line printed.
        """
        settings = {"local": "true"} | dict(context or {})
        return self._run(
            "deploy",
            *(stacks or ("--all",)),
            *(part for name, value in settings.items() for part in ("--context", f"{name}={value}")),
            *("--output", str(self.assembly)),
            *("--require-approval", "never"),
            *("--method", "direct"),  # nobody reviews a change set here
        )

    def _run(self, command: str, *arguments: str) -> str:
        self.check()
        environment = cdk_environment(self.directory, self.environment)
        cdk = find_cdk(environment["PATH"])
        done = subprocess.run(
            [cdk, command, *arguments, *_QUIET],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            said = "\n".join(done.stdout.splitlines()[-_SAID_LINES:])
            raise LocalCloudError(f"cdk {command} failed", fix="see its words above", log=said)
        return done.stdout
