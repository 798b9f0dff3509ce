"""The registry of the operator's own project."""

import sys

import pytest

from tests.unit.cli.conftest import SETTINGS
from tidemill import JobRegistry
from tidemill.cli.kinds import registry_at
from tidemill.cli.target import Target
from tidemill.connect import StackInfo
from tidemill.domain.errors import InputError


@pytest.fixture
def project(tmp_path, monkeypatch):
    package = tmp_path / "functions" / "my_jobs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from tidemill import JobRegistry\nregistry = JobRegistry()\nnumber = 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_jobs", raising=False)
    return tmp_path


def test_it_is_where_the_handlers_find_it(project):
    path = list(sys.path)

    assert isinstance(registry_at("my_jobs:registry"), JobRegistry)
    assert sys.path == path


def test_a_command_works_on_the_stack_with_these_kinds(project):
    target = Target()
    target.__dict__ |= {"info": StackInfo(SETTINGS, "https://api"), "account": object()}

    program = target.program_knowing("my_jobs:registry")

    assert (program.registry, program.settings) == (registry_at("my_jobs:registry"), SETTINGS)


@pytest.mark.parametrize(
    "name", ["", "my_jobs", "my_jobs:", ":registry", "my_jobs:nothing", "none:registry", "my_jobs:number"]
)
def test_what_names_none_is_refused_by_name(project, name):
    with pytest.raises(InputError) as refused:
        registry_at(name)
    assert [violation.field for violation in refused.value.violations] == ["jobs"]


def test_outside_of_a_project_the_message_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="run it in the project's folder"):
        registry_at("their_jobs:registry")
