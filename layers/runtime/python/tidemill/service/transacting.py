"""The client's part in its caller's own transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidemill.domain.args import JobArgs
from tidemill.domain.errors import JobNotFoundError, UnavailableError
from tidemill.domain.event import Event
from tidemill.domain.job import Job, JobRef
from tidemill.domain.outbox import IN_OUTBOX, Outbound, OutboundFact
from tidemill.domain.ports import Outbox
from tidemill.service.causing import current_cause
from tidemill.service.composing import Composer, Publication, no_outbox
from tidemill.service.lookup import JobLookup
from tidemill.service.relay import Relay
from tidemill.service.submission import DEFAULT_TENANT, Submission


class TransactItems(list[dict[str, Any]]):
    """Entries of TransactWriteItems.

    Attributes:
        ids: the ids of the jobs and facts, in the order asked for.
    """

    def __init__(self, entries: list[dict[str, Any]], outbounds: list[Outbound]) -> None:
        super().__init__(entries)
        self.ids = tuple(one.id if isinstance(one, OutboundFact) else one.ref.id for one in outbounds)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a client needs to commit jobs and facts. `relay` sends a job whose record somebody needs at once."""

    outbox: Outbox
    composer: Composer
    relay: Relay


@dataclass(frozen=True, slots=True)
class TransactingClient(JobLookup):
    """Reads the jobs of one stack, those that are committed and not sent too, and commits new ones."""

    commit: Commit | None = field(default=None, kw_only=True)

    def transact_items(self, *things: JobArgs | Submission | Event | Publication) -> TransactItems:
        """Entries for your own TransactWriteItems that submit jobs and publish facts if, and only if, it commits.

            items = client.transact_items(SendReceipt(order="7"), OrderPlaced(order="7"))
            dynamodb.transact_write_items(TransactItems=[{"Put": {...}}, *items])

        They are Puts in the form of the low-level client (`boto3.client("dynamodb")`); a resource's `meta.client` would
        convert them once more. None has a condition, so that none makes your transaction fail. The transaction must be
        in the stack's account and region, by a role that may `dynamodb:PutItem` on its jobs table. Large arguments are
        stored here, before; nothing else is written.

        The relay sends within seconds of the commit, at least once: a job is then submitted as `submit` does it, so
        that one key is one job; a fact has one id however often it is published. Two transactions with one key and
        other arguments both commit: the first that is sent has the key, and the other's job never runs. Until it is
        sent, `get` finds a job as `queued` with reason `in_outbox`. Each costs two write units a kilobyte, and one when
        it was sent. Its age in the outbox counts from this call: commit soon, or it looks as if the relay had left it.

        Arguments:
            things: 1 to 90: arguments, Submissions, events and Publications, 3 MiB in all.

        Raises:
            InputError: one of them is bad, is an event that the registry does not list, or is for a FIFO lane.
            UnavailableError: large arguments could not be stored.
        """
        commit = self._commit
        outbounds = commit.composer.compose([_caused(thing) for thing in things])
        return TransactItems(commit.outbox.actions(outbounds), outbounds)

    def get(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """The job's record, as of now; one that is committed and not sent yet is `queued`, with reason `in_outbox`.

        Raises:
            InputError: the id or the tenant is ill-formed.
            JobNotFoundError: there is no such job, or its retention is over.
        """
        try:
            return JobLookup.get(self, job_id, tenant)
        except JobNotFoundError:
            if self.commit is None:
                raise
            waiting = self.commit.outbox.find(JobRef(tenant, job_id))
            try:
                # It may have got its record, and left the outbox, since the first look.
                return JobLookup.get(self, job_id, tenant)
            except JobNotFoundError:
                if waiting is None:
                    raise
            return waiting.record(self.clock.now_ms())

    def _recorded(self, job_id: str, tenant: str) -> Job:
        """As `get`, but one that is in the outbox is sent first, so that there is a record to change."""
        job = self.get(job_id, tenant)
        if job.reason != IN_OUTBOX or self.commit is None:
            return job
        waiting = self.commit.outbox.find(job.ref)
        if waiting is not None and not self.commit.relay.relay([waiting])[0]:
            raise UnavailableError("relay", "NotSent")
        return JobLookup.get(self, job_id, tenant)

    @property
    def _commit(self) -> Commit:
        if self.commit is None:
            raise no_outbox()
        return self.commit


def _caused(thing: object) -> object:
    """What a running job commits has its causes from it, unless they are given."""
    cause = current_cause()
    if cause is None:
        return thing
    match thing:
        case JobArgs():
            return cause.of([Submission(thing)])[0]
        case Submission():
            return cause.of([thing])[0]
        case Event():
            return Publication(thing).caused_by(cause.envelope)
        case Publication():
            return thing.caused_by(cause.envelope)
        case _:
            return thing
