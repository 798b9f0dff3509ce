"""The repository's own application, deployed once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tidemill.local import LocalCloud

E2E = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder."""
    for item in items:
        if item.path.is_relative_to(E2E):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cloud(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with everything deployed. It ends with this process, whatever becomes of the tests."""
    with LocalCloud.started(repository, state=tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.deploy()
        yield cloud
