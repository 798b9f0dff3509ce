"""The local cloud: MiniStack on loopback, and the unmodified `cdk deploy` into it.

    with LocalCloud.started(Path.cwd()) as cloud:
        cloud.deploy()
        print(cloud.outputs("tidemill"))

Needs the extra `tidemill[local]`. Nothing here is imported by what runs in Lambda.
"""

from tidemill.local.cloud import LocalCloud
from tidemill.local.errors import LocalCloudError

__all__ = ("LocalCloud", "LocalCloudError")
