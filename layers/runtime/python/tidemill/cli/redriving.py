"""`tidemill dlq redrive` on jobs: what would happen, the question before, the progress while, the account after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import typer

from tidemill.cli import render
from tidemill.cli.exits import CliError, as_document, exit_code
from tidemill.domain.errors import InputError, JobStateError, TidemillError
from tidemill.service.canary import CanaryEnded
from tidemill.service.dead_view import effects_view
from tidemill.service.manner import RESUME, Manner
from tidemill.service.redriving import NotRedriven, Redriven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.domain.job import Job, JobRef
    from tidemill.service.bulk import Care
    from tidemill.service.dead_filter import Filter
    from tidemill.service.deadletters import DeadLetterDesk

# What became of a job, by how it was redriven.
_TOLD: Final = {
    "dlq": "job {id} runs again (sent from the dlq)",
    "table": "job {id} runs again (sent from the table)",
    "message": "the message refused as {id} is back on its lane and becomes a new job; its refusal stays on record",
}
# Each takes a read, and nobody reads more of them.
_FORESEEN: Final = 100


@dataclass
class Account:
    """What was done so far."""

    redriven: list[dict[str, Any]] = field(default_factory=list)
    failed: list[NotRedriven] = field(default_factory=list)
    canary: CanaryEnded | None = None

    def add(self, event: Redriven | NotRedriven | CanaryEnded) -> None:
        """One more."""
        match event:
            case Redriven(ref=ref, via=via):
                self.redriven.append({"id": ref.id, "tenant": ref.tenant, "via": via})
            case NotRedriven():
                self.failed.append(event)
            case CanaryEnded():
                self.canary = event

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        refusals = [{"id": one.ref.id, "tenant": one.ref.tenant, **as_document(one.error)} for one in self.failed]
        document = {"redriven": self.redriven, "failed": refusals}
        return document if self.canary is None else {**document, "canary": canary_view(self.canary)}

    def lines(self) -> Iterator[str]:
        """For people. Many jobs are counted, few are named."""
        if len(self.redriven) > _FORESEEN:
            yield f"{len(self.redriven)} jobs run again"
        else:
            yield from (_TOLD[entry["via"]].format(**entry) for entry in self.redriven)
        yield from (f"not redriven: {one.ref}: {one.error}" for one in self.failed)

    def check(self) -> None:
        """End the command as it went.

        Raises:
            CliError: the canary did not pass, or some could not be redriven.
        """
        if self.canary is not None and not self.canary.passed:
            raise CliError("canary_failed", f"{canary_told(self.canary)}; the others stay as they were")
        if self.failed:
            message = f"{len(self.failed)} of {len(self.failed) + len(self.redriven)} jobs could not be redriven"
            raise CliError("not_redriven", message, max(exit_code(one.error) for one in self.failed))


@dataclass(frozen=True)
class Redriving:
    """One redrive command on jobs."""

    desk: DeadLetterDesk
    manner: Manner
    as_json: bool

    def find(self, refs: Sequence[JobRef]) -> tuple[list[Job], list[NotRedriven]]:
        """The dead jobs of these ids, and what stands against the others."""
        jobs: list[Job] = []
        failed: list[NotRedriven] = []
        for ref in dict.fromkeys(refs):
            try:
                job = self.desk.inspection.dead(ref)
                self.desk.inspection.foresee(job, self.manner)
            except TidemillError as error:
                failed.append(NotRedriven(ref, error))
            else:
                jobs.append(job)
        return jobs, failed

    def foresee(self, jobs: Sequence[Job], *, more: bool = False) -> None:
        """Say what would happen."""
        foreseen: list[dict[str, Any]] = []
        failed: list[NotRedriven] = []
        for job in jobs[:_FORESEEN]:
            try:
                effects = self.desk.inspection.foresee(job, self.manner)
            except (InputError, JobStateError) as error:
                failed.append(NotRedriven(job.ref, error))
            else:
                foreseen.append({"id": job.ref.id, "tenant": job.ref.tenant, **effects_view(effects)})
        if self.as_json:
            document = Account(failed=failed).document()
            render.as_json({**document, "dry_run": True, "jobs": len(jobs), "more": more, "foreseen": foreseen})
            return
        headings = ("job", "happens again", "is kept")
        rows = [(f"{one['tenant']}/{one['id']}", ", ".join(one["again"]), ", ".join(one["kept"])) for one in foreseen]
        render.rows(headings, rows, empty="none")
        for line in Account(failed=failed).lines():
            render.line(line)
        hidden = f", the first {_FORESEEN} are shown" if len(jobs) > _FORESEEN else ""
        render.line(f"dry run: {len(jobs)}{' or more' if more else ''} jobs would run again{hidden}; nothing was done")

    def question(self, jobs: Sequence[Job]) -> str:
        """What is asked before: how many jobs, and which finished steps would happen again."""
        what = f"{len(jobs)} jobs"
        if self.manner == RESUME:
            return what
        again = sorted({name for job in jobs[:_FORESEEN] for name in self._again(job)})
        return f"{what} with mode {self.manner}; finished steps that happen again: {', '.join(again) or 'none'}"

    def run(
        self, jobs: Sequence[Job], care: Care, chosen: Filter | None, failed: Sequence[NotRedriven], *, more: bool
    ) -> None:
        """Redrive these jobs, tell of them and of those that failed before.

        Raises:
            TidemillError: the only one could not be redriven.
            CliError: one of several could not, or the canary did not pass.
        """
        account = Account(failed=list(failed))
        if jobs:
            with progress(len(jobs), as_json=self.as_json) as advance:
                for event in self.desk.redrive_all(jobs, self.manner, care, chosen=chosen):
                    account.add(event)
                    advance(0 if isinstance(event, CanaryEnded) else 1)
        if len(account.failed) == 1 and not account.redriven and chosen is None:
            raise account.failed[0].error
        if self.as_json:
            render.as_json({**account.document(), "more": more} if chosen is not None else account.document())
        else:
            for line in account.lines():
                render.line(line)
            if more:
                render.line("there are more dead jobs that match: run it again for the next ones")
        account.check()

    def _again(self, job: Job) -> tuple[str, ...]:
        try:
            return self.desk.inspection.foresee(job, self.manner).again
        except (InputError, JobStateError):
            return ()


def check_choice(jobs: Sequence[str] | None, filters: Iterable[object], limit: int | None, *, everything: bool) -> None:
    """Refuse what does not say clearly which jobs are meant.

    Raises:
        InputError: not exactly one of ids, filters and all was chosen, or the limit fits none of it.
    """
    if [bool(jobs), any(one is not None for one in filters), everything].count(True) != 1:
        raise InputError.at("ids", "give job ids, or filters such as --lane NAME, or --all: one of the three", "choice")
    if limit is not None and jobs:
        raise InputError.at("limit", "is for filters and --all; leave it out beside ids", "choice")
    if limit is not None and limit < 1:
        raise InputError.at("limit", f"must be at least 1, not {limit}", "range")


def confirm(what: str, *, yes: bool, as_json: bool) -> None:
    """Ask before many jobs run again.

    Raises:
        InputError: there is nobody to ask.
        Abort: the answer was no.
    """
    if yes:
        return
    if as_json:
        raise InputError.at("yes", "give --yes beside --json: there is nobody to ask", "missing")
    typer.confirm(f"Redrive {what}?", abort=True, err=True)


def canary_view(ended: CanaryEnded) -> dict[str, Any]:
    """How a canary fared, as `--json` prints it."""
    named = {"well": ended.well, "died": ended.died, "unended": ended.unended, "unflown": ended.unflown}
    return {"passed": ended.passed, **{name: [str(ref) for ref in refs] for name, refs in named.items()}}


def canary_told(ended: CanaryEnded) -> str:
    """How a canary fared, for people."""
    died = f", died again: {', '.join(map(str, ended.died))}" if ended.died else ""
    unended = f", not ended in time: {', '.join(map(str, ended.unended))}" if ended.unended else ""
    unflown = f", not redriven: {', '.join(map(str, ended.unflown))}" if ended.unflown else ""
    return f"canary: {len(ended.well)} ended well{died}{unended}{unflown}"


@contextmanager
def progress(total: int, *, as_json: bool) -> Iterator[Callable[[float], None]]:
    """A bar on standard error, gone when it is done."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=as_json or total < 2 or not console.is_terminal) as bar:
        task = bar.add_task("redriving", total=total)
        yield lambda count: bar.advance(task, count)
