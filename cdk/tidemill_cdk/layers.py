"""The two layers and the code: what every function of a pipeline runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aws_cdk import Annotations, AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tidemill.schemas import FOLDER
from tidemill_cdk.bytecode import compile_folder, find_interpreter
from tidemill_cdk.dependencies import build_dependencies
from tidemill_cdk.schemas import is_only_snapshots
from tidemill_cdk.settings import Architecture, DeployError, DeploySettings
from tidemill_cdk.staging import content_hash, copy_sources, stage

# A git commit's short name is as long, and nobody mistakes one for another.
VERSION_CHARS: Final = 12
# Parts of the package that no function imports; a change of theirs deploys nothing.
NOT_IN_LAMBDA: Final = ("cli", "local", "project", "testing")
# What of the code folder becomes a layer instead.
_BUILT: Final = ("requirements.txt",)


class FunctionCode(Construct):
    """The jobs' code, Tidemill's runtime and the dependencies of both, staged for Lambda.

    Guarantees equal asset hashes for equal sources, whether Tidemill is a checkout or an installed wheel.

    Arguments:
        code: the folder that holds `jobs/`, `worker/handler.py` and their like.
        settings: platform, Python version and where to build.

    Attributes:
        version: tells one version of the jobs' code from another, by the names and bytes of its files alone. Other
            dependencies or another Tidemill are the same version of the jobs.
    """

    def __init__(self, scope: Construct, id_: str, *, code: Path, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        self._folder = code
        self._interpreter = find_interpreter(settings.python)
        if self._interpreter is None:
            Annotations.of(self).add_warning_v2(
                "tidemill:bytecode",
                f"no Python {settings.python} here to compile the layers with, so cold starts take longer. "
                f"Fix: install it (uv python install {settings.python}) or deploy from where it is",
            )
        # A snapshot that is written anew is no other version of the code.
        leave_out = (*_BUILT, *([FOLDER] if is_only_snapshots(code / FOLDER) else []))
        self.asset = self._sources(code, "functions", leave_out=leave_out)
        self.version = content_hash(code, leave_out=leave_out)[:VERSION_CHARS]
        self.layers = [
            self._layer("RuntimeLayer", self._sources(runtime_package(), "runtime", "python/tidemill", NOT_IN_LAMBDA)),
            self._layer("DependencyLayer", self._dependencies(code)),
        ]

    def check_handler(self, name: str, why: str, page: str) -> None:
        """Raise DeployError if the code has no handler of this name; `why` says what asks for it, `page` shows one."""
        if not (self._folder / name / "handler.py").is_file():
            raise DeployError(
                f"{why}, and {self._folder} has no {name}/handler.py. Fix: write it as docs/{page} shows: "
                f"from tidemill.entrypoints.{name} import {name}_handler; handler = {name}_handler(registry)"
            )

    def _sources(self, source: Path, name: str, inside: str = "", leave_out: tuple[str, ...] = ()) -> lambda_.AssetCode:
        digest = content_hash(source, inside, self._bytecode_mark, leave_out=leave_out)

        def build(folder: Path) -> None:
            copy_sources(source, folder / inside, leave_out)
            if self._interpreter:
                compile_folder(self._interpreter, folder)

        folder = stage(self._settings.cache, f"{name}-{digest[:24]}", build)
        return lambda_.Code.from_asset(str(folder), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM)

    def _dependencies(self, code: Path) -> lambda_.AssetCode:
        settings = self._settings
        default = code / "requirements.txt"
        requirements = settings.requirements or (default if default.is_file() else None)
        folder = settings.dependencies or build_dependencies(settings, requirements, self._interpreter)
        digest = content_hash(folder, settings.architecture, self._bytecode_mark)
        return lambda_.Code.from_asset(str(folder), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM)

    def _layer(self, id_: str, code: lambda_.AssetCode) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            id_,
            code=code,
            compatible_runtimes=[runtime_of(self._settings)],
            compatible_architectures=[architecture_of(self._settings)],
        )

    @property
    def _bytecode_mark(self) -> str:
        return f"bytecode {self._settings.python}" if self._interpreter else "no bytecode"


def runtime_package() -> Path:
    """The folder of the `tidemill` package, in a checkout or in an installed wheel."""
    spec = find_spec("tidemill")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("tidemill is not installed beside tidemill_cdk. Fix: install `tidemill[cdk]`")
    return Path(spec.origin).parent


def runtime_of(settings: DeploySettings) -> lambda_.Runtime:
    """The Lambda runtime of the settings."""
    return lambda_.Runtime(f"python{settings.python}", lambda_.RuntimeFamily.PYTHON)


def architecture_of(settings: DeploySettings) -> lambda_.Architecture:
    """The processor of the settings, as the CDK names it."""
    return lambda_.Architecture.ARM_64 if settings.architecture is Architecture.ARM64 else lambda_.Architecture.X86_64
