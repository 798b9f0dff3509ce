"""The local cloud of one project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tidemill.local.addresses import local_address
from tidemill.local.deploy import CdkProject
from tidemill.local.environment import child_environment, client_variables, endpoint
from tidemill.local.errors import LocalCloudError
from tidemill.local.logs import LogLine, LogReader
from tidemill.local.process import ProcessIdentity, end_group
from tidemill.local.start import start_server
from tidemill.local.state import Running, StateFolder

if TYPE_CHECKING:
    import boto3

_UP: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_BOOTSTRAP_STACK: Final = "CDKToolkit"


@dataclass
class LocalCloud:
    """A running local cloud and the CDK application that lives in it.

    Attributes:
        directory: the folder of the application's `cdk.json`.
        folder: what is remembered, `.tidemill/local` below the project unless a test chose another.
        running: the server.
    """

    directory: Path
    folder: StateFolder
    running: Running

    @classmethod
    def find(cls, directory: Path) -> LocalCloud | None:
        """The local cloud that runs for the project in `directory`, if one does."""
        folder = StateFolder.of(directory)
        running = folder.running()
        return cls(directory, folder, running) if running else None

    @classmethod
    def start(cls, directory: Path, *, port: int | None = None) -> LocalCloud:
        """Start one that stays until `stop`. If one runs already, that is the one.

        Raises:
            LocalCloudError: it cannot be started, or one runs on another port than asked for.
        """
        folder = StateFolder.of(directory)
        with folder.locked():
            running = folder.running()
            if running and port not in {None, running.port}:
                raise LocalCloudError(
                    f"this project's local cloud runs on port {running.port}", fix="`tidemill local down` first"
                )
            return cls(directory, folder, running or start_server(folder, port=port, owner=None))

    @classmethod
    @contextmanager
    def started(cls, directory: Path, *, state: Path | None = None, port: int | None = None) -> Iterator[LocalCloud]:
        """One of your own, apart from `tidemill local up`. It ends with the block, and with this process at the latest.

        Args:
            directory: the folder of the application's `cdk.json`.
            state: where it keeps its files; by default a folder below `.tidemill`, removed at the end.
            port: the port to listen on; any free one by default.
        """
        own = state or StateFolder.of(directory).root.with_name(f"process-{os.getpid()}")
        folder = StateFolder(own.resolve())
        try:
            cloud = cls(directory, folder, start_server(folder, port=port, owner=ProcessIdentity.of(os.getpid())))
            try:
                yield cloud
            finally:
                cloud.stop()
        finally:
            if state is None:
                shutil.rmtree(folder.root, ignore_errors=True)

    def stop(self) -> None:
        """End the server and every function process. What was deployed is gone with it."""
        with self.folder.locked():
            end_group(self.running.process)
            self.folder.forget()

    def deploy(self, *stacks: str, context: Mapping[str, str] | None = None) -> str:
        """Run `cdk bootstrap`, once, and `cdk deploy`.

        Args:
            stacks: the stacks to deploy; all of the application's by default.
            context: more of CDK's context, beside `local=true`.

        Returns:
            What `cdk deploy` printed.
        """
        project = self._project
        if not self.running.bootstrapped:
            project.bootstrap()
            self.running = replace(self.running, bootstrapped=True)
            self.folder.remember(self.running)
        return project.deploy(stacks, context)

    @classmethod
    def check(cls, directory: Path) -> None:
        """See that `deploy` would find what it needs.

        Raises:
            LocalCloudError: the application, the CDK command line or Node is missing.
        """
        CdkProject(directory, StateFolder.of(directory).assembly, os.environ).check()

    @property
    def endpoint(self) -> str:
        """Where every AWS service answers."""
        return endpoint(self.running.port)

    @property
    def env(self) -> dict[str, str]:
        """The variables that a boto3 program needs to use this cloud."""
        return client_variables(self.running.port)

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, without its AWS variables, with those of this cloud: for a child process."""
        return child_environment(os.environ, self.running.port)

    @cached_property
    def session(self) -> boto3.Session:
        """A boto3 session of this cloud, whatever this process's environment says."""
        import boto3

        return boto3.Session(
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        return self.session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]

    def stacks(self) -> dict[str, dict[str, str]]:
        """The outputs of every deployed stack, by the stack's name. Addresses work from this machine as they are."""
        described = self.client("cloudformation").describe_stacks()["Stacks"]
        return {
            stack["StackName"]: self._outputs(stack)
            for stack in described
            if stack["StackStatus"] in _UP and stack["StackName"] != _BOOTSTRAP_STACK
        }

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of one deployed stack.

        Raises:
            LocalCloudError: it is not deployed.
        """
        deployed = self.stacks()
        if stack not in deployed:
            raise LocalCloudError(
                f"no stack {stack!r} in the local cloud; deployed: {', '.join(sorted(deployed)) or 'none'}",
                fix="`tidemill local up`",
            )
        return deployed[stack]

    def logs(self, function: str = "", since_ms: int = 0) -> list[LogLine]:
        """What the functions printed, oldest first."""
        return self.log_reader(function).read(since_ms)

    def log_reader(self, function: str = "") -> LogReader:
        """A reader of the logs of the functions whose name contains `function`."""
        return LogReader(self.client("lambda"), self.client("logs"), function)

    @property
    def _project(self) -> CdkProject:
        return CdkProject(self.directory, self.folder.assembly, self.environment)

    def _outputs(self, stack: Mapping[str, Any]) -> dict[str, str]:
        listed: Sequence[Mapping[str, str]] = stack.get("Outputs", [])
        return {output["OutputKey"]: local_address(output["OutputValue"], self.endpoint) for output in listed}
