"""The docs say what the code does: snippets are files, numbers are constants, links lead somewhere."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from tidemill.domain import limits, stream_limits, webhook_limits
from tidemill.domain.lifecycle import TRANSITIONS, mermaid
from tidemill.domain.retry import Retry
from tidemill.domain.webhook.delivery import DELIVERY_RETRY
from tidemill.testing.faults import Process

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LIMITS = vars(limits) | vars(stream_limits) | vars(webhook_limits)
_SNIPPET = re.compile(r"<!-- file: (?P<path>\S+) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)#\s]*)(?:#(?P<heading>[^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_LIMIT = re.compile(r"^\| .* \| (?P<value>[^|]+) \| `(?P<name>[A-Z_]+)` \|$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_snippet_is_its_file(page: Path) -> None:
    for snippet in _SNIPPET.finditer(page.read_text()):
        assert snippet["text"] == (ROOT / snippet["path"]).read_text(), f"run again: {snippet['path']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link[0] for link in _LINK.finditer(page.read_text()) if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: re.Match[str]) -> bool:
    target = page.parent / link["target"] if link["target"] else page
    if link["heading"] is None or target.suffix != ".md":
        return target.exists()
    return target.exists() and link["heading"] in {_anchor(text) for text in _HEADING.findall(target.read_text())}


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading: lower case, no punctuation, a hyphen for each space."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_shows_snippets() -> None:
    assert len(_SNIPPET.findall((ROOT / "README.md").read_text())) >= 3


def test_the_lifecycle_page_draws_the_table() -> None:
    page = (ROOT / "docs/lifecycle.md").read_text()
    assert f"```mermaid\n{mermaid()}\n```" in page
    for move in TRANSITIONS:
        assert f"| `{move.verb}` | {', '.join(sorted(move.sources))} | {move.target}" in page


def test_the_limits_page_has_the_numbers_of_the_code() -> None:
    rows = {row["name"]: row["value"].strip() for row in _LIMIT.finditer((ROOT / "docs/limits.md").read_text())}
    assert len(rows) > 15
    assert rows == {name: _shown(LIMITS[name]) for name in rows}


def test_the_limits_page_leaves_out_no_limit_that_a_job_can_meet() -> None:
    """A new `MAX_` constant stands on the page, or here with the reason why nobody meets it."""
    page = (ROOT / "docs/limits.md").read_text()
    missing = {name for name in LIMITS if name.startswith("MAX_") and f"`{name}`" not in page}
    assert missing == {
        "MAX_ARGS_DEPTH",  # follows from MAX_JSON_DEPTH
        "MAX_HIDING",  # follows from MAX_VISIBILITY
        "MAX_VISIBILITY",  # SQS's; what Retry accepts says it in its own message
        "MAX_PAYLOAD_WAIT",  # a wait of the engine's own
        "MAX_RECORD_AGAIN",  # the same
        "MAX_REASON_CHARS",  # of codes that Tidemill writes itself
        "MAX_TRACE_CHARS",  # of ids that are carried, refused by name
    }


def test_the_readme_has_the_figures_of_the_last_bench() -> None:
    readme = (ROOT / "README.md").read_text()
    found = json.loads((ROOT / "bench/results.json").read_text())
    ours, textbook = found["cpu_us_per_job_batch10"], found["textbook_cpu_us_per_job_batch10"]
    assert f"| CPU at batch 10 | {ours:.0f} µs | {textbook:,.0f} µs, {textbook / ours:.1f} times |" in readme
    assert f"| CPU at batch 100 | {found['cpu_us_per_job_batch100']:.0f} µs |" in readme
    assert (
        f"| cold imports of the worker | {found['import_ms']:.0f} ms | {found['textbook_import_ms']:.0f} ms" in readme
    )
    assert f"| dollars per million | {found['usd_per_million_jobs']:.2f} (" in readme


@pytest.mark.parametrize("page", ["webhooks.md", "decisions/0125-webhooks-are-tried-as-the-standard-says.md"])
def test_the_time_for_which_a_webhook_is_tried_is_that_of_its_waits(page: str) -> None:
    waits = [DELIVERY_RETRY.delay(tried, timedelta(0), lambda: 0.0) for tried in range(1, DELIVERY_RETRY.max_attempts)]
    whole, rest = divmod(sum(waits, timedelta(0)), timedelta(days=1))
    shown = f"{whole} days {rest // timedelta(hours=1)} h {rest % timedelta(hours=1) // timedelta(minutes=1)} min"
    assert shown in (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize(
    "page",
    [
        "docs/guarantees.md",
        "docs/writing-jobs.md",
        "docs/decisions/0023-an-outage-costs-no-attempt.md",
        "layers/runtime/python/tidemill/domain/retry.py",
    ],
)
def test_the_time_that_all_deferrals_last_is_that_of_the_formula(page: str) -> None:
    shown = "{:.0f} to {:.0f} hours, {:.0f} on average".format(*map(_deferred_hours, (0.0, 1.0, 0.5)))
    assert shown in " ".join((ROOT / page).read_text().split())


def _deferred_hours(chance: float) -> float:
    policy, wait, waited = Retry(), timedelta(0), timedelta(0)
    for number in range(1, policy.max_deferrals + 1):
        wait = policy.deferral_delay(number, wait, lambda: chance)
        waited += wait
    return waited / timedelta(hours=1)


def test_the_page_on_tests_names_every_process_that_a_fault_can_meet() -> None:
    page = (ROOT / "docs/testing-your-jobs.md").read_text()
    assert f"`by=` ({', '.join(f'`{process}`' for process in Process)})" in " ".join(page.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_waits_to_be_filled_in(page: Path) -> None:
    assert not re.findall(r"^[A-Z_]{6,}$", page.read_text(), re.MULTILINE)


def _shown(value: int | timedelta) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    seconds = int(value.total_seconds())
    days = seconds // 86_400
    return f"{seconds:,} s" if seconds % 86_400 else f"{days} day{'s' if days > 1 else ''}"
