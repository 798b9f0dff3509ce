"""The stack that a command works on, reached when a command first needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

import typer

from tidemill.connect import DEFAULT_STACK, StackInfo

if TYPE_CHECKING:
    from tidemill.cli.account import AccountClients
    from tidemill.cli.api import SignedApi
    from tidemill.cli.depths import LaneDepth
    from tidemill.entrypoints.bootstrap import Program
    from tidemill.service.leftovers import OutboxStatus
    from tidemill.service.replays import ReplayDesk
    from tidemill.service.webhooks import WebhookDesk

# Ten thousand rows are a second or two of reads, and say enough.
_MOST_LOOKED_AT: Final = 10_000


@dataclass
class Target:
    """One deployed stack, as its operator reaches it. botocore is imported at the first use, not by `--help`."""

    stack: str = DEFAULT_STACK
    region: str | None = None
    profile: str | None = None

    @cached_property
    def account(self) -> AccountClients:
        """The operator's AWS clients."""
        from tidemill.cli.account import AccountClients

        return AccountClients(self.region, self.profile)

    @cached_property
    def info(self) -> StackInfo:
        """What the stack says about itself."""
        from tidemill.connect import find_stack

        return find_stack(self.stack, self.account)

    @cached_property
    def program(self) -> Program:
        """The service layer on the operator's credentials. It knows no kinds: only the workers do."""
        from tidemill.connect import program_of
        from tidemill.domain.registry import JobRegistry

        return program_of(self.info, JobRegistry(), self.account)

    def program_knowing(self, jobs: str) -> Program:
        """The same, with the kinds of a registry of the operator's own project.

        Raises:
            InputError: `jobs` names none; see `registry_at`.
        """
        from tidemill.cli.kinds import registry_at
        from tidemill.connect import program_of

        registry = registry_at(jobs)
        return program_of(self.info, registry, self.account)

    @property
    def webhooks(self) -> WebhookDesk:
        """What looks after endpoints. New ones have the names that the stack lists.

        Raises:
            InputError: the stack has no webhooks.
        """
        from tidemill.connect import program_of
        from tidemill.domain.errors import InputError
        from tidemill.domain.lane import WEBHOOK_LANE
        from tidemill.domain.registry import JobRegistry

        if WEBHOOK_LANE not in self.info.settings.lanes:
            fix = "JobRegistry(..., webhooks=[...]), and deploy"
            raise InputError.at("name", f"stack {self.stack!r} has no webhooks. Fix: {fix}", "no_webhooks")
        registry = JobRegistry(webhooks=self.info.settings.webhooks)
        return program_of(self.info, registry, self.account).client.webhooks

    @cached_property
    def api(self) -> SignedApi:
        """The stack's HTTP API, which knows the kinds."""
        from tidemill.cli.api import SignedApi

        return SignedApi(self.info.api_url, self.account)

    @property
    def replays(self) -> ReplayDesk:
        """What lets subscribers hear facts again.

        Raises:
            InputError: the stack has no bus.
        """
        from tidemill.domain.errors import InputError

        if not self.info.settings.bus:
            raise InputError.at("replay", "the stack has no events. Fix: JobRegistry(..., events=[...]), and deploy it")
        return self.program.replays

    def depths(self) -> list[LaneDepth]:
        """How full the lanes are."""
        from tidemill.cli.depths import depths

        return depths(self.account.sqs, self.info.settings.lanes)

    def outbox(self) -> tuple[OutboxStatus, int]:
        """What stands in the outbox, and the time (Unix milliseconds).

        Raises:
            InputError: the stack has none.
        """
        from tidemill.domain.errors import InputError
        from tidemill.service.leftovers import look_at

        if not self.info.settings.outbox:
            raise InputError.at("outbox", "the stack has none. Fix: JobRegistry(..., events=[...]), then deploy it")
        return look_at(self.program.outbox, _MOST_LOOKED_AT), self.program.clock.now_ms()


def target_of(context: typer.Context) -> Target:
    """The target that the root options named."""
    return cast("Target", context.obj)
