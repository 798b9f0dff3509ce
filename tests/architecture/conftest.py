import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sources(repository: Path) -> list[Path]:
    """Every file that is in git or would be: what a reader of the project sees."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := repository / name).is_file()]


@pytest.fixture(scope="session")
def modules(sources: list[Path]) -> list[Path]:
    """The Python files among them."""
    return [path for path in sources if path.suffix == ".py"]
