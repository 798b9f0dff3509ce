import os
import subprocess
import sys
import time

import pytest

from tidemill.local.process import ProcessIdentity, end_group, wait_for_end

SLEEP = "import time; time.sleep(60)"
# A leader that ignores the request to end, with a child that does too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""  # noqa: E501


def test_a_process_is_known_by_its_id_and_start():
    me = ProcessIdentity.of(os.getpid())

    assert me is not None
    assert me.alive
    assert ProcessIdentity.of(os.getpid()) == me


def test_another_process_under_the_same_id_is_another_process():
    me = ProcessIdentity.of(os.getpid())

    assert not ProcessIdentity(me.pid, me.started + "0").alive


def test_a_process_that_ended_is_nobody():
    with subprocess.Popen([sys.executable, "-c", ""]) as short:
        short.wait()

    assert ProcessIdentity.of(short.pid) is None


def test_a_zombie_has_ended():
    with subprocess.Popen([sys.executable, "-c", ""]) as short:
        identity = ProcessIdentity.of(short.pid)
        assert identity is not None
        deadline = time.monotonic() + 10
        while identity.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not identity.alive  # though nobody has asked for its exit status yet


def test_ending_a_group_ends_the_children_that_refuse_too():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        child = ProcessIdentity.of(int(leader.stdout.readline()))
        identity = ProcessIdentity.of(leader.pid)

        assert identity is not None
        assert child is not None
        assert end_group(identity, patience=0.2)
        assert not identity.alive
        assert wait_for_end(child, 5)
        leader.returncode = -9  # its exit status was taken when its end was waited for


def test_a_foreign_process_that_got_the_id_is_left_alone():
    with subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True) as foreign:
        identity = ProcessIdentity.of(foreign.pid)
        assert identity is not None
        try:
            assert not end_group(ProcessIdentity(foreign.pid, "an earlier start"))
            assert identity.alive
        finally:
            foreign.kill()


def test_a_process_that_leads_no_group_is_left_alone():
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as member:
        identity = ProcessIdentity.of(member.pid)
        assert identity is not None
        try:
            assert not end_group(identity)
            assert identity.alive
        finally:
            member.kill()


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads /proc")  # noqa: PTH110
def test_without_proc_the_system_is_asked(monkeypatch):
    monkeypatch.setattr("tidemill.local.process.Path.exists", lambda path: str(path) != "/proc/self/stat")

    me = ProcessIdentity.of(os.getpid())

    assert me is not None
    assert me.alive
    assert ProcessIdentity.of(2**22 - 1) is None
