"""Builders: a registry with lanes that differ in every number, and a synthesised stack of it."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_cdk import App, Validations

from tidemill import Cron, Every, JobArgs, JobRegistry, Lane, Retry, Schedule, hours, job, minutes, seconds
from tidemill_cdk import DeploySettings, TidemillStack

HANDLER = "from jobs import registry\n\nhandler = registry\n"


class MakeThumbnail(JobArgs, kind="media.thumbnail"):
    width: int


class SendReceipt(JobArgs, kind="billing.receipt"):
    order: str


@job(
    MakeThumbnail,
    lane="bulk",
    timeout=minutes(2),
    schedule=[
        Schedule(Every(minutes(5)), MakeThumbnail(width=16), name="thumbs.often", expires_in=minutes(10)),
        Schedule(Cron("0 9 13 * FRI", tz="Europe/Paris"), MakeThumbnail(width=32), name="thumbs.friday-13"),
    ],
)
def make_thumbnail(args, context):
    return args.width


@job(
    SendReceipt,
    lane="critical",
    timeout=seconds(20),
    retry=Retry(max_attempts=25),
    schedule=Schedule(
        Cron("30 2 * * *", tz="America/New_York"),
        SendReceipt(order="<all>"),
        tenant="acme",
        jitter=hours(1),
        enabled=False,
    ),
)
def send_receipt(args, context):
    return args.order


class Release(JobArgs, kind="orders.release"):
    order: str


@job(Release, lane="bulk", answers={"approval": bool})
def release(args, context):
    return context.wait_for("approval", bool, timeout=hours(1))


LANES = (
    Lane("critical"),
    Lane("bulk", batch_size=100, batch_window=seconds(5), concurrency=50, max_concurrency=20, memory_mb=1024),
    Lane("media-gpu", max_concurrency=2),
    Lane("orders", fifo=True),
)
REGISTRY = JobRegistry(make_thumbnail, send_receipt, lanes=LANES)
# One of its kinds waits for answers.
ASKING = JobRegistry(make_thumbnail, send_receipt, release, lanes=LANES)


@dataclass(frozen=True)
class Synthesised:
    """What a synth wrote, and the waivers that were written for it."""

    template: dict[str, Any]
    report: dict[str, Any]
    error: str = ""
    waivers: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def resources(self) -> dict[str, Any]:
        return self.template["Resources"]

    def of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        return {id_: item for id_, item in self.resources.items() if item["Type"] == type_}

    def properties(self, logical_id: str) -> dict[str, Any]:
        return self.resources[logical_id]["Properties"]

    def violations(self) -> list[tuple[str, str, str]]:
        """(plugin, rule, construct path) of everything that was found and not waived."""
        return [
            (plugin["pluginName"], violation["ruleName"], place["constructPath"])
            for plugin in self.report.get("pluginReports", ())
            for violation in plugin["violations"]
            if violation.get("severity") != "warning"
            for place in violation["violatingConstructs"]
        ]

    def accepted(self) -> set[tuple[str, str]]:
        """(scope, finding) of every waiver that met a finding."""
        return {
            (violation["acknowledgedAt"], violation["acknowledgedId"])
            for plugin in self.report.get("pluginReports", ())
            for violation in plugin.get("suppressedViolations", ())
        }


def code_folder(folder: Path) -> Path:
    """A folder such as `functions/`, small."""
    for name in ("worker", "api", "janitor"):
        (folder / name).mkdir(parents=True)
        (folder / name / "handler.py").write_text(HANDLER)
    return folder


def dependency_folder(folder: Path) -> Path:
    """A finished dependency layer, so that no test of a template installs anything."""
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "dependency.py").write_text("")
    return folder


def synthesise(
    folder: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    registry: JobRegistry = REGISTRY,
    prepare: Callable[[App], None] = lambda app: None,
    add: Callable[[TidemillStack], None] = lambda stack: None,
) -> Synthesised:
    """Synthesise one stack in `folder`. A failed validation is in `error`; any other error is raised."""
    context = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]
    app = App(outdir=str(folder / "cdk.out"), context=context)
    prepare(app)
    choices = {
        "dependencies": dependency_folder(folder / "dependencies"),
        "cache": folder / "cache",
        **(settings or {}),
    }
    waivers: list[tuple[str, str, str]] = []
    with ExitStack() as patches:
        patches.enter_context(patch.object(Validations, "of", _recording(Validations.of, waivers)))
        stack = TidemillStack(
            app, "tidemill", registry=registry, code=code_folder(folder / "code"), settings=DeploySettings(**choices)
        )
        add(stack)
    error = ""
    try:
        app.synth()
    except RuntimeError as failed:
        if "ValidationFailed" not in str(failed):
            raise
        error = str(failed)
    return Synthesised(
        template=json.loads((folder / "cdk.out" / "tidemill.template.json").read_text()),
        report=json.loads((folder / "cdk.out" / "validation-report.json").read_text()),
        error=error,
        waivers=waivers,
    )


def _recording(real: Callable[..., Validations], waivers: list[tuple[str, str, str]]) -> Callable[..., Any]:
    class Recorder:
        def __init__(self, scope: Any) -> None:
            self._scope = scope
            self._real = real(scope)

        def acknowledge(self, *rules: Any) -> None:
            # The report writes a finding's spaces as dashes.
            waivers.extend((self._scope.node.path, rule.id.replace(" ", "-"), rule.reason) for rule in rules)
            self._real.acknowledge(*rules)

        def add_plugins(self, *plugins: Any) -> None:
            self._real.add_plugins(*plugins)

    return Recorder
