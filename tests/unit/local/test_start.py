import pytest

from tidemill.local import start
from tidemill.local.errors import LocalCloudError
from tidemill.local.state import StateFolder


def test_without_ministack_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(start, "find_spec", lambda _: None)

    with pytest.raises(LocalCloudError, match=r"MiniStack is not installed\. Fix: pip install 'tidemill\[local\]'"):
        start.start_server(StateFolder.of(tmp_path), port=None, owner=None)
    assert not (tmp_path / ".tidemill").exists()


def test_the_last_lines_of_a_log(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\nthr\xffee\n")

    assert start.last_lines(log, 2) == "two\nthr\ufffdee"
    assert start.last_lines(tmp_path / "none") == ""
