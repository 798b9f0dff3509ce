import json
import os

import pytest

from tidemill.local.errors import LocalCloudError
from tidemill.local.process import ProcessIdentity
from tidemill.local.state import Running, StateFolder


@pytest.fixture
def folder(tmp_path):
    found = StateFolder.of(tmp_path)
    found.prepare()
    return found


@pytest.fixture
def running():
    me = ProcessIdentity.of(os.getpid())
    return Running(me.pid, me.started, 4566)


def test_what_is_remembered_is_found(folder, running):
    folder.remember(running)

    assert folder.running() == running


def test_the_record_of_a_server_that_died_is_no_server(folder, running):
    folder.remember(Running(running.pid, "an earlier start", 4566))

    assert folder.running() is None


def test_nothing_remembered_is_nothing_running(tmp_path):
    assert StateFolder.of(tmp_path).running() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}', json.dumps({"pid": 1, "unknown": 2})])
def test_a_damaged_record_says_what_to_delete(folder, content):
    (folder.root / "running.json").write_text(content)

    with pytest.raises(LocalCloudError, match=r"running\.json is damaged.*Fix: delete it"):
        folder.running()


def test_forgetting_keeps_the_log(folder, running):
    folder.remember(running)
    folder.log.write_text("why it died")

    folder.forget()

    assert folder.running() is None
    assert folder.log.read_text() == "why it died"
    assert not folder.scratch.exists()


def test_git_does_not_see_the_folder(folder):
    assert (folder.root / ".gitignore").read_text() == "*\n"


def test_one_command_at_a_time(folder):
    with folder.locked(), pytest.raises(LocalCloudError, match="another command"), StateFolder(folder.root).locked():
        pass

    with folder.locked():
        pass
