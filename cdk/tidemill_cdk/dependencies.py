"""The dependency layer's content, installed by uv for Lambda's platform: no Docker, no compiler."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import uv

from tidemill_cdk.bytecode import compile_folder
from tidemill_cdk.settings import Architecture, DeployError, DeploySettings
from tidemill_cdk.staging import stage

# Tidemill's own needs inside Lambda. boto3 is in the managed runtimes; no page says that a zone database is.
RUNTIME_REQUIREMENTS: Final = ("aws-lambda-powertools", "pydantic", "tzdata")
_WHEEL_ARCHITECTURE: Final = {Architecture.ARM64: "aarch64", Architecture.X86_64: "x86_64"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Records of how and where something was installed: of no use in Lambda, and different on every machine.
_MACHINE_RECORDS: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")


class DependencyError(DeployError):
    """uv could not install the dependencies; the message has its words and the fix."""

    code = "dependencies"


def build_dependencies(settings: DeploySettings, requirements: Path | None, interpreter: str | None) -> Path:
    """A folder with `python/` in it: Tidemill's dependencies and those of `requirements`.

    Guarantees that every package that is installed beside this program, and that the requirements
    don't pin themselves, gets the version installed here, so that what was tested is what is deployed.

    Raises:
        DependencyError: uv refused.
    """
    lines = _requirement_lines(requirements)
    wanted = "\n".join((*RUNTIME_REQUIREMENTS, *lines))
    pins = "\n".join(f"{name}=={version}" for name, version in sorted(_installed_versions(lines).items()))
    target = _target_options(settings)
    mark = interpreter or "no bytecode"
    key = hashlib.sha256("\0".join((wanted, pins, *target, mark, _uv_version())).encode()).hexdigest()[:24]

    def build(folder: Path) -> None:
        _install(folder / "python", wanted, pins, target)
        if interpreter:
            compile_folder(interpreter, folder)

    return stage(settings.cache, f"dependencies-{key}", build)


def wheel_platform(settings: DeploySettings) -> str:
    """The wheels that the Lambda runtime can load, in uv's words."""
    # Python 3.11 runs on Amazon Linux 2 (glibc 2.26), later ones on Amazon Linux 2023 (glibc 2.34).
    glibc = "manylinux_2_17" if settings.python == "3.11" else "manylinux_2_34"
    return f"{_WHEEL_ARCHITECTURE[settings.architecture]}-{glibc}"


def _target_options(settings: DeploySettings) -> list[str]:
    if settings.for_host:
        return ["--python", sys.executable]
    return ["--python-platform", wheel_platform(settings), "--python-version", settings.python]


def _install(folder: Path, wanted: str, pins: str, target: list[str]) -> None:
    folder.mkdir(parents=True)
    (wanted_file := folder / ".wanted").write_text(wanted, encoding="utf-8")
    (pins_file := folder / ".pins").write_text(pins, encoding="utf-8")
    options = ["--quiet", "--only-binary", ":all:", "--link-mode", "copy", "--target", str(folder), *target]
    # The arguments are ours; what is installed is what the user's requirements file says.
    done = subprocess.run(  # noqa: S603 - a program of this environment, arguments of ours
        [uv.find_uv_bin(), "pip", "install", *options, "-r", str(wanted_file), "-c", str(pins_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DependencyError(
            f"the dependency layer can't be built:\n{done.stderr.strip()}\nFix: install what the requirements ask for "
            "beside this program too, so that its versions agree, or pin them with == in the requirements file"
        )
    wanted_file.unlink()
    pins_file.unlink()
    _drop_machine_records(folder)


def _drop_machine_records(folder: Path) -> None:
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    for name in _MACHINE_RECORDS:
        for record in folder.glob(f"*.dist-info/{name}"):
            record.unlink()


def _requirement_lines(requirements: Path | None) -> list[str]:
    if requirements is None:
        return []
    lines = (line.split(" #")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _installed_versions(lines: list[str]) -> dict[str, str]:
    pinned = {_name(line) for line in lines if "==" in line or "@" in line}
    versions = dict(_closure((*RUNTIME_REQUIREMENTS, *lines)))
    return {name: version for name, version in versions.items() if name not in pinned}


def _closure(requirements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and version of what the requirements need, as far as it is installed here."""
    waiting, seen = list(requirements), set[str]()
    while waiting:
        name = _name(waiting.pop())
        if not name or name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        yield name, found.version
        waiting += [need for need in found.requires or () if "extra ==" not in need]


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


def _uv_version() -> str:
    return metadata.version("uv")
