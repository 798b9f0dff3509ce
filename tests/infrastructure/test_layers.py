"""Assets: equal sources, equal hashes; bytecode that Lambda will read; dependencies for Lambda's platform."""

import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.infrastructure.stacks import Synthesised
from tidemill_cdk.bytecode import compile_folder, find_interpreter
from tidemill_cdk.dependencies import DependencyError, build_dependencies, wheel_platform
from tidemill_cdk.layers import NOT_IN_LAMBDA, runtime_package
from tidemill_cdk.settings import Architecture, DeploySettings
from tidemill_cdk.staging import content_hash, copy_sources, source_files, stage

UNCHECKED_HASH = 0b01


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "sources"
    (folder / "package" / "__pycache__").mkdir(parents=True)
    (folder / "package" / "module.py").write_text("ANSWER = 42\n")
    (folder / "package" / "__pycache__" / "module.cpython-399.pyc").write_bytes(b"stale")
    (folder / "cli").mkdir()
    (folder / "cli" / "app.py").write_text("")
    return folder


def test_hash_is_of_names_and_bytes_only(sources, tmp_path):
    copy = tmp_path / "elsewhere"
    copy_sources(sources, copy)
    assert content_hash(copy) == content_hash(sources)

    (copy / "package" / "module.py").write_text("ANSWER = 43\n")
    assert content_hash(copy) != content_hash(sources)


def test_hash_knows_where_one_file_ends(tmp_path):
    for folder, files in (("a", {"x": "1", "y": "2"}), ("b", {"x": "12", "y": ""})):
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text)
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "b")


def test_litter_and_what_is_left_out_is_not_copied(sources, tmp_path):
    copy_sources(sources, tmp_path / "copy", leave_out=["cli"])
    assert [path.as_posix() for path in source_files(tmp_path / "copy")] == ["package/module.py"]


def test_staging_builds_once_and_never_leaves_half_a_folder(tmp_path):
    built = []

    def build(folder):
        built.append(folder)
        (folder / "file").write_text("whole")

    def fail(folder):
        (folder / "file").write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        stage(tmp_path / "cache", "key", fail)
    first, second = stage(tmp_path / "cache", "key", build), stage(tmp_path / "cache", "key", build)

    assert first == second
    assert len(built) == 1
    assert (first / "file").read_text() == "whole"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".gitignore", "key"]


def test_bytecode_is_never_checked_against_the_time_of_its_source(sources):
    """The CDK's archives set every file's time to 1980; bytecode that checks it would be compiled anew each time."""
    compile_folder(sys.executable, sources)

    (written,) = sources.glob(f"package/__pycache__/module.{sys.implementation.cache_tag}.pyc")
    header = written.read_bytes()[:16]
    assert header[:4] == MAGIC_NUMBER
    assert int.from_bytes(header[4:8], "little") == UNCHECKED_HASH


def test_interpreter_of_another_version_is_not_taken():
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_interpreter(here) == sys.executable
    assert find_interpreter("3.99") is None


def test_runtime_layer_holds_the_package_without_what_lambda_never_imports(tmp_path):
    folder = tmp_path / "python" / "tidemill"
    copy_sources(runtime_package(), folder, NOT_IN_LAMBDA)

    program = "import tidemill, tidemill.settings, sys; print(tidemill.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(tmp_path / "python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == folder / "__init__.py"
    assert not any((folder / name).exists() for name in NOT_IN_LAMBDA)


def test_layers_and_code_are_named_by_their_content(production: Synthesised, chosen_otherwise: Synthesised):
    def keys(stack):
        layers = [
            layer["Properties"]["Content"]["S3Key"] for layer in stack.of_type("AWS::Lambda::LayerVersion").values()
        ]
        return sorted(
            {*layers, *(stack.properties(name)["Code"]["S3Key"] for name in ("Api", "Janitor", "WorkerBulk"))}
        )

    assert len(keys(production)) == 3
    assert keys(production) == keys(chosen_otherwise)


@pytest.mark.parametrize(
    ("architecture", "python", "platform"),
    [
        (Architecture.ARM64, "3.13", "aarch64-manylinux_2_34"),
        (Architecture.X86_64, "3.13", "x86_64-manylinux_2_34"),
        (Architecture.ARM64, "3.11", "aarch64-manylinux_2_17"),
    ],
)
def test_wheels_match_the_amazon_linux_of_the_runtime(architecture, python, platform):
    assert wheel_platform(DeploySettings(architecture=architecture, python=python)) == platform


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [{}, {"for_host": True, "python": f"3.{sys.version_info.minor}"}], ids=["arm64", "host"]
)
def test_dependency_layer_is_built_for_its_platform(tmp_path, settings):
    from importlib.metadata import version

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# the jobs' own\npillow>=12,<13  # pictures\n")
    choices = DeploySettings(cache=tmp_path / "cache", **settings)

    folder = build_dependencies(choices, requirements, None)

    names = {path.name for path in (folder / "python").iterdir()}
    assert {"PIL", "pydantic", "pydantic_core", "aws_lambda_powertools"} <= names
    assert not names & {"boto3", "botocore", "bin", "tidemill"}
    assert f"pydantic-{version('pydantic')}.dist-info" in names
    (core,) = (folder / "python" / "PIL").glob("_imaging.*.so")
    tag = "cpython-313-aarch64-linux-gnu" if not settings else f"cpython-3{sys.version_info.minor}-"
    assert core.name.startswith(f"_imaging.{tag}")
    assert build_dependencies(choices, requirements, None) == folder


@pytest.mark.slow
def test_dependencies_that_contradict_what_is_installed_are_refused_with_the_fix(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pydantic<2\n")

    with pytest.raises(DependencyError, match="Fix: "):
        build_dependencies(DeploySettings(cache=tmp_path / "cache"), requirements, None)
