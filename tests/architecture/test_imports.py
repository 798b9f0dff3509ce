"""The arrow points inward. The contracts are in pyproject.toml; what they cannot say is here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME = Path("layers/runtime/python")
# What a package must not bring along, however many imports away. import-linter sees our own imports only.
NOT_EVEN_INDIRECTLY = {
    "tidemill": {"aws_cdk", "aws_lambda_powertools", "boto3", "botocore", "typer"},
    "tidemill.errors": {"aws_cdk", "aws_lambda_powertools", "boto3", "botocore", "typer"},
    "tidemill.domain": {"aws_cdk", "aws_lambda_powertools", "boto3", "botocore", "typer"},
    "tidemill.service": {"aws_cdk", "aws_lambda_powertools", "boto3", "botocore", "typer"},
    "tidemill.testing": {"aws_cdk", "aws_lambda_powertools", "boto3", "botocore", "pytest", "typer"},
    "tidemill.aws": {"aws_cdk", "aws_lambda_powertools", "typer"},
    "tidemill.entrypoints": {"aws_cdk", "moto", "typer"},
}


def imported(module: Path) -> Iterator[str]:
    """The modules that a file imports, at whatever depth of it."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if not node.level else "." * node.level


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_every_contract_is_kept(repository):
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert " kept, 0 broken" in run.stdout


@pytest.mark.parametrize(("package", "banned"), NOT_EVEN_INDIRECTLY.items(), ids=NOT_EVEN_INDIRECTLY.keys())
def test_a_package_brings_nothing_unwanted_along(package, banned, repository):
    folder = repository / RUNTIME / package.replace(".", "/")
    is_named = package == "tidemill" or not folder.is_dir()
    names = [package] if is_named else [f"{package}.{module.stem}" for module in folder.glob("[!_]*.py")]
    program = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint(*sys.modules)"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    loaded = run.stdout.split()
    assert package in loaded
    assert banned.isdisjoint(loaded)


def test_jobs_use_the_public_surface_only(modules, repository):
    jobs = [module for module in modules if module.is_relative_to(repository / "functions" / "jobs")]

    private = {(module.name, name) for module in jobs for name in imported(module) if name.startswith("tidemill.")}

    assert jobs
    assert private == set()


def test_a_handler_knows_the_entrypoints_and_the_jobs(modules, repository):
    handlers = [
        path for path in modules if path.parent.parent == repository / "functions" and path.name == "handler.py"
    ]

    allowed = ("__future__", "tidemill.entrypoints", "jobs")
    strange = {
        (module.parent.name, name)
        for module in handlers
        for name in imported(module)
        if not any(is_in(name, package) for package in allowed)
    }

    assert handlers
    assert strange == set()


def test_unit_tests_load_neither_cdk_nor_moto(repository):
    program = (
        "import pytest, sys\n"
        "status = pytest.main(['--collect-only', '-qq', 'tests/unit'])\n"
        "print(*(name for name in ('aws_cdk', 'jsii', 'moto') if name in sys.modules), file=sys.stderr)\n"
        "raise SystemExit(status)"
    )

    run = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    assert run.stderr.split() == []
