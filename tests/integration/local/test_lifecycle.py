"""Starting and stopping real servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tidemill.local import LocalCloud, LocalCloudError
from tidemill.local.process import ProcessIdentity, wait_for_end
from tidemill.local.start import READY

OWNER = """
import os, signal, sys
from pathlib import Path
from tidemill.local import LocalCloud
with LocalCloud.started(Path.cwd(), state=Path("state")) as cloud:
    print(cloud.running.pid, cloud.running.started, cloud.running.port, flush=True)
    signal.pause()
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def settled(cloud: LocalCloud) -> None:
    """Wait until every listener of the server is up: it starts some of them after it is ready."""
    for _ in range(100):
        with urllib.request.urlopen(f"{cloud.endpoint}{READY}") as answer:  # noqa: S310 - the server of this test
            if json.load(answer)["iot_mtls"] != "starting":
                return
        time.sleep(0.05)


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on, from /proc."""
    sockets = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [row.split() for table in tables for row in table]
    return {row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def test_starts_once_and_stops_once(application):
    cloud = LocalCloud.start(application)
    assert LocalCloud.start(application).running == cloud.running == LocalCloud.find(application).running
    assert cloud.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200

    cloud.stop()

    assert LocalCloud.find(application) is None
    assert not answers(cloud.running.port)
    cloud.stop()


def test_another_port_than_the_running_one_is_refused(application):
    cloud = LocalCloud.start(application)

    with pytest.raises(LocalCloudError, match=rf"runs on port {cloud.running.port}.*Fix: `tidemill local down` first"):
        LocalCloud.start(application, port=cloud.running.port + 1)


def test_a_taken_port_is_refused(application):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(LocalCloudError, match=f"port {port} is not to be had"):
            LocalCloud.start(application, port=port)
    assert LocalCloud.find(application) is None


def test_a_server_that_fails_to_start_shows_its_log_and_leaves_nothing(application, monkeypatch):
    monkeypatch.setattr("tidemill.local.start.server_environment", lambda *_: {"PYTHONHOME": "/nowhere"})

    with pytest.raises(LocalCloudError, match="MiniStack did not start") as failure:
        LocalCloud.start(application)

    assert "/nowhere" in failure.value.log
    assert LocalCloud.find(application) is None


def test_a_stale_record_does_not_keep_a_new_one_from_starting(application):
    first = LocalCloud.start(application)
    os.killpg(first.running.pid, signal.SIGKILL)
    assert wait_for_end(first.running.process, 5)

    second = LocalCloud.start(application)

    assert second.running.pid != first.running.pid
    assert second.running.process.alive


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_listens_on_loopback_only(application):
    cloud = LocalCloud.start(application)
    settled(cloud)

    assert listening(cloud.running.pid) == {"0100007F"}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_cloud_of_a_block_ends_with_its_process_however_that_ends(application, end):
    with subprocess.Popen([sys.executable, "-c", OWNER], cwd=application, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, started, port = owner.stdout.readline().split()
        server = ProcessIdentity(int(pid), started)
        assert server.alive

        owner.send_signal(end)

    assert wait_for_end(server, 10)
    assert not answers(int(port))


def test_a_cloud_of_a_block_leaves_nothing_behind(application):
    with pytest.raises(ZeroDivisionError), LocalCloud.started(application) as cloud:
        1 / 0  # noqa: B018

    assert not cloud.running.process.alive
    assert list((application / ".tidemill").iterdir()) == []
