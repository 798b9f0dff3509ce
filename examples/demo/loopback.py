"""This machine, as the demo's shop and its receiver of webhooks know it. Nothing that is deployed in earnest has this.

What a program on AWS sends reaches public addresses alone, and no setting changes that.
"""

from typing import Final

from tidemill.domain.webhook.reach import Reach

LOOPBACK: Final = Reach("http", ports=None, allows=lambda address: address.is_loopback, named=False)
