"""The repository's own application and the trials, deployed once for all tests of this folder."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.command_line import CommandLine
from tests.e2e.ground import APPLICATION, STACK, Ground
from tests.e2e.outage import Outage
from tidemill.local import LocalCloud

E2E = Path(__file__).parent
sys.path.append(str(APPLICATION / "functions"))  # so that `trials` is imported here as it is inside Lambda

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Say what `late` means."""
    config.addinivalue_line("markers", "late: waits for what takes minutes, so it comes after all others")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder. What sets off the late ones comes first of them, and those after all else."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(E2E)]
    ours = [items[place] for place in places]
    ours.sort(key=lambda item: "ground" not in getattr(item, "fixturenames", ()))
    for place, item in zip(places, ours, strict=True):
        item.add_marker(pytest.mark.e2e)
        items[place] = item
    items.sort(key=lambda item: item.get_closest_marker("late") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured."""
    for figure in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"measured: {figure}")


@pytest.fixture
def measured(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say a figure at the end of the run."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


@pytest.fixture(scope="session")
def local(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud. It ends with this process, whatever becomes of the tests."""
    with LocalCloud.started(repository, state=tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def cloud(local: LocalCloud) -> LocalCloud:
    """A local cloud with the reference application in it."""
    local.deploy()
    return local


@pytest.fixture(scope="session")
def deployed_trials(local: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The trials, deployed."""
    from trials import registry

    return Ground.deployed(local, tmp_path_factory.mktemp("trials"), registry)


@pytest.fixture(scope="session")
def set_off(deployed_trials: Ground) -> dict[str, list]:
    """Jobs whose story takes minutes, submitted before anything else happens: the refs of a batch, by lane."""
    from trials.crashing import Crash, KeepGoing, Poison
    from trials.quick import Quick

    from tidemill import seconds

    ground, refs = deployed_trials, {}
    for lane, fault in (("poison", Poison), ("crashing", Crash)):
        diary = str(ground.diary(lane).path)
        neighbours = [Quick(diary=diary, name=f"neighbour {number}") for number in range(3)]
        # The one that crashes comes first, so that of the suspects it is the first to run again.
        refs[lane] = ground.submit_as_batch(lane, [fault(diary=diary, neighbours=3), *neighbours])
        # Work goes on in the lane meanwhile, in a new process.
        later = Quick(diary=diary, name="later")
        refs[lane].append(ground.client.submit(later, lane=lane, delay=seconds(15)).job.ref)
    diary = str(ground.diary("beating").path)
    keep_going, later = KeepGoing(diary=diary), Quick(diary=diary, name="later")
    refs["beating"] = [
        ground.client.submit(keep_going).job.ref,
        ground.client.submit(later, lane="beating", delay=seconds(75)).job.ref,
    ]
    return refs


@pytest.fixture(scope="session")
def outage(deployed_trials: Ground) -> Iterator[Outage]:
    """A job whose dependency refuses connections."""
    with Outage.begun(deployed_trials) as outage:
        yield outage


@pytest.fixture(scope="session")
def ground(deployed_trials: Ground, set_off: dict[str, list], outage: Outage) -> Ground:
    """The trials, deployed and set off."""
    return deployed_trials


@pytest.fixture
def tenant() -> str:
    """A tenant of the test's own, which has no other jobs."""
    return f"t-{uuid4().hex}"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that is not there yet; see `trials/functions/trials/diary.py`."""
    return tmp_path / "gate"


@pytest.fixture
def tidemill(ground: Ground, repository: Path) -> CommandLine:
    """The command line, on the trials."""
    jobs = {"TIDEMILL_JOBS": "trials:registry", "PYTHONPATH": str(APPLICATION / "functions")}
    return CommandLine(repository, {**ground.cloud.environment, "TIDEMILL_STACK_NAME": STACK, **jobs})
