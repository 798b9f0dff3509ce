"""`tidemill dlq redrive` on whole DLQs: what SQS holds goes back, whether the table knows of it or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.cli import render
from tidemill.cli.redriving import Account, canary_view, progress
from tidemill.domain.errors import NothingMatchedError
from tidemill.service.bulk import LaneMoved

if TYPE_CHECKING:
    from tidemill.service.bulk import Care
    from tidemill.service.deadletters import DeadLetterDesk


@dataclass(frozen=True)
class RedrivingLanes:
    """One redrive command on whole DLQs."""

    desk: DeadLetterDesk
    lanes: Sequence[str]
    as_json: bool

    def waiting(self) -> int:
        """About how many messages that will be.

        Raises:
            NothingMatchedError: none, as far as SQS has counted and as a look into the DLQs shows.
        """
        depths = self.desk.depths()
        waiting = sum(depths[lane] for lane in self.lanes)
        if not waiting and not any(self.desk.dead_letters.peek(lane, 1) for lane in self.lanes):
            raise NothingMatchedError("message", f"the DLQs of {', '.join(self.lanes)}")
        return waiting

    def foresee(self, waiting: int) -> None:
        """Say what would happen."""
        depths = {lane: depth for lane, depth in self.desk.depths().items() if lane in self.lanes}
        if self.as_json:
            render.as_json({"dry_run": True, "messages": depths})
        else:
            told = render.counts(depths)
            render.line(f"dry run: about {waiting} messages would go back ({told}); steps are kept; nothing was done")

    def run(self, care: Care, waiting: int) -> None:
        """Put them back.

        Raises:
            CliError: a canary did not pass.
        """
        moved = dict.fromkeys(self.lanes, 0)
        by_sqs: dict[str, int] = {}
        account = Account()
        with progress(waiting, as_json=self.as_json) as advance:
            for event in self.desk.redrive_lanes(self.lanes, care):
                if not isinstance(event, LaneMoved):
                    account.add(event)
                elif event.by_sqs:
                    by_sqs[event.lane] = event.count
                else:
                    moved[event.lane] += event.count
                    advance(event.count)
        if self.as_json:
            canary = {"canary": canary_view(account.canary)} if account.canary else {}
            render.as_json({"moved": moved, "moving": by_sqs, **canary})
        else:
            self._tell(moved, by_sqs, account)
        account.check()

    def _tell(self, moved: dict[str, int], by_sqs: dict[str, int], account: Account) -> None:
        for line in account.lines():
            render.line(line)
        own = {lane: count for lane, count in moved.items() if lane not in by_sqs}
        if own:
            render.line(f"redriven: {render.counts(own)}")
        if by_sqs:
            render.line(f"SQS is putting them back by itself: about {render.counts(by_sqs)}. See `tidemill lanes`")
