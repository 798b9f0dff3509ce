"""The other way of use: an installed wheel, in a folder of its own, deploys the bytes that the checkout deploys."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

pytestmark = pytest.mark.slow

APP = """
from pathlib import Path

from aws_cdk import App
from jobs import registry
from tidemill_cdk import DeploySettings, TidemillStack

here = Path(__file__).parent
settings = DeploySettings(dependencies=here / "dependencies")
app = App()
TidemillStack(app, "mine", registry=registry, code=here / "functions", settings=settings)
app.synth()
"""
JOBS = """
from tidemill import JobArgs, JobContext, JobRegistry, job


class Greet(JobArgs, kind="greet"):
    name: str


@job(Greet)
def greet(args: Greet, context: JobContext) -> str:
    return f"hello {args.name}"


registry = JobRegistry(greet)
"""


def run(*command: str | Path, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(repository, tmp_path_factory):
    """The sources as they are now, so that an edit during the test is no difference."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, copy)
    for name in ("cdk", "layers"):
        shutil.copytree(repository / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def python(checkout, tmp_path_factory):
    """An interpreter that has the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(uv.find_uv_bin(), "build", "--wheel", "--quiet", "--out-dir", folder / "dist", checkout)
    (wheel,) = (folder / "dist").glob("*.whl")
    run(uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, folder / "venv")
    interpreter = folder / "venv" / "bin" / "python"
    run(uv.find_uv_bin(), "pip", "install", "--quiet", "--python", interpreter, f"tidemill[cdk] @ {wheel.as_uri()}")
    return interpreter


def application(folder: Path) -> Path:
    """What a user writes, outside the repository."""
    for name in ("jobs", "worker", "api", "janitor"):
        (folder / "functions" / name).mkdir(parents=True)
        (folder / "functions" / name / "handler.py").write_text("")
    (folder / "functions" / "jobs" / "__init__.py").write_text(JOBS)
    (folder / "dependencies" / "python").mkdir(parents=True)
    (folder / "app.py").write_text(APP)
    return folder


def synthesise(python: str | Path, folder: Path, *sources: Path) -> dict:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(path) for path in (folder / "functions", *sources)),
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "HOME": os.environ["HOME"],  # jsii keeps its unpacked library there
    }
    run(python, folder / "app.py", cwd=folder, env=environment)
    return json.loads((folder / "cdk.out" / "mine.template.json").read_text())


@pytest.fixture(scope="module")
def deployed(python, tmp_path_factory):
    """The application's folder, once the wheel has synthesised it."""
    folder = application(tmp_path_factory.mktemp("installed"))
    synthesise(python, folder)
    return folder


def test_wheel_and_checkout_deploy_the_same(deployed, checkout, tmp_path):
    installed = json.loads((deployed / "cdk.out" / "mine.template.json").read_text())
    sources = (checkout / "cdk", checkout / "layers" / "runtime" / "python")
    cloned = synthesise(sys.executable, application(tmp_path / "cloned"), *sources)

    assert assets(installed) == assets(cloned)
    assert installed == cloned
    assert len(set(assets(installed).values())) == 3


def assets(template: dict) -> dict[str, str]:
    """What each layer and function is made of, by logical id."""
    found = {}
    for id_, item in template["Resources"].items():
        content = item["Properties"].get("Content") or item["Properties"].get("Code")
        if content:
            found[id_] = content["S3Key"]
    return found


def test_wheel_is_used_not_the_checkout(python, repository, checkout, tmp_path):
    found = run(
        python, "-c", "import tidemill, tidemill_cdk; print(tidemill.__file__, tidemill_cdk.__file__)", cwd=tmp_path
    )
    assert str(repository) not in found


def test_staged_layer_is_the_package_alone(deployed):
    (runtime,) = (deployed / ".tidemill" / "build").glob("runtime-*")
    assert [path.name for path in runtime.iterdir()] == ["python"]
    assert [path.name for path in (runtime / "python").iterdir()] == ["tidemill"]
    assert (runtime / "python" / "tidemill" / "settings.py").is_file()
    assert not (runtime / "python" / "tidemill" / "cli").exists()
