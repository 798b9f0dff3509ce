"""Who the process is to AWS: the name that stands in the audit trail."""

from __future__ import annotations

from functools import cached_property

from tidemill.aws.clients import Clients
from tidemill.aws.errors import AwsError

UNKNOWN = "unknown"


class AwsActor:
    """The caller's ARN, asked of STS once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def __call__(self) -> str:
        """The ARN; `unknown` where STS can't be reached or won't say. What was done stays in the trail either way."""
        return self._arn

    @cached_property
    def _arn(self) -> str:
        try:
            return str(self._clients.sts.get_caller_identity()["Arn"])
        except AwsError:
            return UNKNOWN
