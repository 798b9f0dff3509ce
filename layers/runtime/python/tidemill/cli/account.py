"""The operator's own AWS credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.session import Session

from tidemill.aws.clients import Clients
from tidemill.connect import ConnectError, understood

if TYPE_CHECKING:
    from botocore.credentials import Credentials


class AccountClients(Clients):
    """Clients of one profile and region, and what a request signed by hand needs.

    Arguments:
        region: by default that of `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile.
        profile: a profile named here wins over keys in the environment; one in `AWS_PROFILE` does not.
    """

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        super().__init__(region or os.environ.get("AWS_REGION"), profile=profile)
        self._account = Session(profile=profile)

    @property
    def region(self) -> str:
        """The region that all calls go to."""
        return self.cloudformation.meta.region_name

    @property
    def endpoint_override(self) -> str | None:
        """The one server that stands for all of AWS, if there is one: a local cloud."""
        configured = os.environ.get("AWS_ENDPOINT_URL") or self._account.get_scoped_config().get("endpoint_url")
        return str(configured) if configured else None

    @property
    def credentials(self) -> Credentials:
        """What to sign with.

        Raises:
            ConnectError: there are none.
        """
        with understood():
            found = self._account.get_credentials()
        if found is None:
            raise ConnectError("there are no AWS credentials. Fix: set AWS_PROFILE or log in (`aws sso login`)")
        return found
