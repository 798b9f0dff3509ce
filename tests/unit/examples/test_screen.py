"""What the demo prints where there is no terminal, and that it draws where there is one."""

import io

import pytest
from PIL import Image
from rich.console import Console

from examples.demo.photographs import NAMES, photograph
from examples.demo.screen import Bulk, PlainScreen, Row
from examples.demo.terminal import TerminalScreen
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State


def job(state: State, **fields: object) -> Job:
    values = {"ref": JobRef("t", "i"), "kind": "k", "lane": "l", "fingerprint": "", "created_at": 0} | fields
    return Job(state=state, claimable_at=None, ttl_s=0, **values)


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def plain(out):
    return PlainScreen(out, clock=iter([10.0, 12.5]).__next__)


def test_a_verdict_is_one_line_and_its_problem_another(plain, out):
    plain.verdict("it works", "")
    plain.verdict("it lasts", "it broke")

    assert out.getvalue() == "ok it works\nFAIL it lasts\n     it broke\n"


def test_a_step_says_how_long_it_took(plain, out):
    with plain.step("deploy") as note:
        note("88 resources")

    assert out.getvalue() == "deploy           2.5 s  88 resources\n"


def test_a_job_is_printed_when_it_changes_and_not_otherwise(plain, out):
    with plain.watching() as show:
        for now in (
            None,
            job(State.RETRYING, attempt=2, reason="error"),
            job(State.RETRYING, attempt=2, reason="error"),
        ):
            show([Row("it", "by hand", now)], Bulk(0, 0))

    assert [line.split(maxsplit=3)[3] for line in out.getvalue().splitlines()] == ["sent", "retrying attempt 2, error"]


def test_many_jobs_are_printed_by_quarters(plain, out):
    with plain.watching() as show:
        for done in range(201):
            show([], Bulk(done, 200))

    assert [line.split()[-2] for line in out.getvalue().splitlines()] == ["50", "100", "150", "200"]


def test_a_terminal_shows_the_same_words():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system="truecolor")
    screen = TerminalScreen(console)
    screen.title("Tidemill")
    with screen.step("deploy") as note:
        note("88 resources")
    with screen.watching() as show:
        show([Row("it", "by hand", job(State.DEAD, reason="permanent", generation=2))], Bulk(3, 4))
    screen.verdict("it lasts", "it broke")
    screen.show_pictures([photograph(name) for name in NAMES])

    shown = console.file.getvalue()
    assert all(word in shown for word in ("Tidemill", "88 resources", "by hand", "generation 2", "3 succeeded", "▀"))
    assert "FAIL" in shown
    assert "it broke" in shown


def test_the_photographs_are_photographs():
    for name in NAMES:
        assert Image.open(io.BytesIO(photograph(name))).size == (640, 427)
