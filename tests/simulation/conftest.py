"""Begins what takes every core for minutes with the first test, and asks for it after the last."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.simulation.ahead import PARTS, Ahead

MARK = "ahead"
FOLDER = pytest.StashKey[TemporaryDirectory[str]]()
BEGUN = pytest.StashKey[Ahead]()


def pytest_configure(config: pytest.Config) -> None:
    """Say what `ahead` means."""
    config.addinivalue_line("markers", f"{MARK}(*parts): asks for these parts, which are played from the first test on")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask last, in the order in which it is played."""
    items.sort(key=lambda item: item.get_closest_marker(MARK) is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin what the tests that are left will ask for."""
    asked = {part for item in session.items for mark in item.iter_markers(MARK) for part in mark.args}
    if not asked or session.config.getoption("collectonly"):
        return
    folder = session.config.stash[FOLDER] = TemporaryDirectory(prefix="tidemill-ahead-")
    parts = [part for part in PARTS if part in asked]
    session.config.stash[BEGUN] = Ahead.begun(Path(folder.name), parts, session.config.rootpath)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it, if it has not come to its end."""
    begun = config.stash.get(BEGUN, None)
    if begun is not None:
        begun.end()
        config.stash[FOLDER].cleanup()


@pytest.fixture(scope="session")
def ahead(pytestconfig: pytest.Config) -> Ahead:
    """What was begun."""
    return pytestconfig.stash[BEGUN]
