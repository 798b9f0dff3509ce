"""One word per idea, and a public surface that changes only on purpose."""

import inspect
import re
import sys
from pathlib import Path

import tidemill
from tidemill import connect, errors, testing
from tidemill.domain import errors as tree

# Names that say nothing of what is inside, and so collect everything.
EMPTY_WORDS = {"base", "common", "helper", "helpers", "manager", "misc", "shared", "util", "utils"}
# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + "XX|HA" + r"CK)\b")
PUBLIC_NAMES = Path(__file__).with_name("public_names.txt")
PUBLIC_ERRORS = Path(__file__).with_name("public_errors.txt")
PUBLIC_TESTING = Path(__file__).with_name("public_testing.txt")


def test_no_module_hides_behind_an_empty_word(modules, repository):
    named = {part.removesuffix(".py") for path in modules for part in path.relative_to(repository).parts}

    assert named & EMPTY_WORDS == set()


def test_nothing_is_left_for_later(sources, repository):
    found = {
        f"{path.relative_to(repository)}:{number}"
        for path in sources
        if path.suffix in {".py", ".toml", ".yml", ".yaml", ".json", ".md", ""} and path.name != "uv.lock"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if UNFINISHED.search(line)
    }

    assert found == set()


def test_the_public_surface_changes_only_on_purpose():
    assert sorted(tidemill.__all__) == PUBLIC_NAMES.read_text().split()


def test_what_is_imported_late_is_what_it_is_and_nothing_else_is():
    from tidemill.domain import cron, schedule
    from tidemill.service import client, submitter

    assert (tidemill.JobClient, tidemill.Receipt) == (client.JobClient, submitter.Receipt)
    assert (tidemill.Cron, tidemill.Every, tidemill.Schedule) == (cron.Cron, cron.Every, schedule.Schedule)
    assert not hasattr(tidemill, "JobClients")


def test_the_public_errors_change_only_on_purpose():
    assert sorted(errors.__all__) == PUBLIC_ERRORS.read_text().split()


def test_every_error_that_a_caller_may_catch_is_public():
    raised = {
        name
        for module in (tree, sys.modules[connect.__module__])
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, errors.TidemillError) and value.__module__ == module.__name__
    }

    assert raised
    assert raised <= set(errors.__all__)


def test_what_tests_are_written_with_changes_only_on_purpose():
    assert sorted(testing.__all__) == PUBLIC_TESTING.read_text().split()


def test_everything_that_tests_are_written_with_says_what_it_is():
    public = [getattr(testing, name) for name in testing.__all__]
    members = [
        member
        for one in public
        if inspect.isclass(one)
        for name, member in vars(one).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]
    spoken = [one for one in [*public, *members] if inspect.isclass(one) or inspect.isroutine(one) or one in members]
    silent = [one for one in spoken if not inspect.getdoc(one)]

    assert members
    assert silent == []


def test_everything_public_says_what_it_is():
    silent = [
        name
        for name in tidemill.__all__
        if (callable(value := getattr(tidemill, name)) or inspect.ismodule(value)) and not inspect.getdoc(value)
    ]

    assert silent == []
