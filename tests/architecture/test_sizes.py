"""A file that needs a scroll map is split. The numbers are the hard limits; aim for half."""

import ast
from pathlib import Path

import pytest

import tidemill

LINES = {
    "layers/runtime/python/tidemill": 300,
    "cdk/tidemill_cdk": 200,
    "cdk/app.py": 30,
    "functions": 200,
    "examples": 300,
    "bench": 300,
    "tests": 400,
}
HANDLER_LINES = 30
FUNCTION_LINES = 50
PORT_METHODS = 12
# What the first page of a program needs, the types of what a client returns included; errors are in tidemill.errors.
PUBLIC_NAMES = 32
BRANCHES = (ast.If, ast.IfExp, ast.Match, ast.Try, ast.For, ast.While, ast.BoolOp)


def length(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.fixture
def handlers(modules, repository):
    return [path for path in modules if path.name == "handler.py" and path.is_relative_to(repository / "functions")]


@pytest.mark.parametrize(("place", "budget"), LINES.items())
def test_files_stay_within_their_budget(place, budget, modules, repository):
    there = [path for path in modules if path.is_relative_to(repository / place)]

    too_long = {str(path.relative_to(repository)): length(path) for path in there if length(path) > budget}

    assert too_long == {}


def test_handlers_are_a_few_lines_without_a_branch(handlers):
    too_long = {str(path): length(path) for path in handlers if length(path) > HANDLER_LINES}
    branching = {
        f"{path}:{node.lineno}"
        for path in handlers
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, BRANCHES)
    }

    assert handlers
    assert too_long == {}
    assert branching == set()


def test_the_public_names_fit_on_a_screen():
    assert len(tidemill.__all__) <= PUBLIC_NAMES


def test_functions_fit_on_a_screen(modules, repository):
    shipped = [path for path in modules if not path.is_relative_to(repository / "tests")]
    too_long = {
        f"{path.relative_to(repository)}:{node.name}": lines
        for path in shipped
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }

    assert too_long == {}


def test_a_port_is_a_handful_of_verbs(repository):
    ports = sorted((repository / "layers/runtime/python/tidemill/domain/ports").glob("*.py"))
    sizes = {
        node.name: sum(isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) for member in node.body)
        for path in ports
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }

    assert sizes
    assert {name: size for name, size in sizes.items() if size > PORT_METHODS} == {}
