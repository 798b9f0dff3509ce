"""A private bucket whose objects only named functions reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tidemill_cdk.naming import keep_name
from tidemill_cdk.permissions import OBJECT_DELETE, OBJECT_READ, OBJECT_TAG, OBJECT_WRITE, allow
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import removal_policy
from tidemill_cdk.waivers import BUCKET_LOGS, OBJECTS_OF_ONE_BUCKET, waive

# An upload that is not finished in a day never is; its parts cost as much as objects.
ABANDONED_UPLOAD: Final = timedelta(days=1)
# What the payload adapter writes; see `tidemill.aws.payloads`.
LIFE_TAG: Final = "days"
ARGS: Final = "*/args/*"
RESULTS: Final = "*/result/*"


class PrivateBucket(Construct):
    """A bucket without public access, over TLS only, encrypted.

    Arguments:
        name: its logical id.
        expire_after: objects older than this are deleted; None keeps them.
        lives: shorter ages at which objects are deleted whose tag `days` says so.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        settings: DeploySettings,
        expire_after: timedelta | None = None,
        lives: Sequence[timedelta] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._name = name
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy(settings),
            # A local cloud is thrown away whole; on AWS a stack that keeps no data must empty its buckets first.
            auto_delete_objects=not settings.retain_data and not settings.for_host,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.seconds(int(ABANDONED_UPLOAD.total_seconds())),
                    expiration=Duration.days(expire_after.days) if expire_after else None,
                ),
                # S3 User Guide, "How Amazon S3 handles conflicts in lifecycle configurations": the shorter one wins.
                *(
                    s3.LifecycleRule(tag_filters={LIFE_TAG: str(life.days)}, expiration=Duration.days(life.days))
                    for life in lives
                ),
            ],
        )
        keep_name(self.bucket, name)
        waive(self, BUCKET_LOGS, "AwsSolutions::AwsSolutions-S1")

    @property
    def bucket_name(self) -> str:
        """The physical name."""
        return self.bucket.bucket_name

    def grant_read(self, grantee: iam.Role) -> None:
        """Let the role read every object. It may not list them."""
        self._grant(grantee, OBJECT_READ)

    def grant_write(self, grantee: iam.Role) -> None:
        """Let the role write every object. It may neither list nor delete them."""
        self._grant(grantee, OBJECT_WRITE)

    def grant_submitting(self, grantee: iam.Role) -> None:
        """Let the role write the arguments of jobs. `tenant/id/args/fingerprint` is what they are called."""
        self._grant(grantee, OBJECT_WRITE, ARGS)

    def grant_working(self, grantee: iam.Role) -> None:
        """Let the role write all that jobs leave, results with the tag of their life, and delete arguments."""
        self._grant(grantee, OBJECT_WRITE)
        self._grant(grantee, OBJECT_TAG, RESULTS)
        self._grant(grantee, OBJECT_DELETE, ARGS)

    def _grant(self, role: iam.Role, actions: tuple[str, ...], which: str = "*") -> None:
        allow(role, actions, self.bucket.arn_for_objects(which))
        objects = f"<{self._name}.Arn>/{which}"
        ours = [f"Tidemill::wildcard[{action} on {objects}]" for action in actions]
        waive(role, OBJECTS_OF_ONE_BUCKET, *ours, f"AwsSolutions::AwsSolutions-IAM5[Resource::{objects}]")
