"""The claim check in S3: bytes too large for a message or an item. See `tidemill.domain.ports.Payloads`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tidemill.aws.errors import AwsError, code_of, unavailable
from tidemill.aws.patience import each
from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import PayloadGoneError, SettingsError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.payload import Stored, check_name, has_own_life
from tidemill.domain.ports import Parcel
from tidemill.settings import PREFIX

if TYPE_CHECKING:
    from tidemill.aws.clients import Clients

# The tag of an object that the bucket deletes after so many days, and not with the others.
LIFE_TAG: Final = "days"
_GONE: Final = frozenset({"NoSuchKey", "404", "NotFound"})
# API Reference, GetObject: without the right to list the bucket, which no function has, S3 says this of a missing key.
_DENIED: Final = frozenset({"AccessDenied", "403", "Forbidden"})


class S3Payloads:
    """`Payloads` in one bucket, whose lifecycle deletes objects longer after their writing than anything names them.

    Arguments:
        clients: the S3 client is made when the first large payload comes, so that a worker without one never
            pays for it.
        bucket: empty where none was deployed; nothing large is taken then.
        now_ms: the time, Unix milliseconds.
    """

    def __init__(self, clients: Clients, bucket: str, now_ms: Callable[[], int]) -> None:
        self._clients = clients
        self._bucket_name = bucket
        self._now_ms = now_ms

    def put(self, ref: JobRef, name: str, data: bytes, keep: timedelta | None = None) -> Stored:
        """See Payloads."""
        tagging: dict[str, Any] = {} if keep is None else {"Tagging": f"{LIFE_TAG}={life_for(keep).days}"}
        try:
            self._clients.s3.put_object(Bucket=self._bucket, Key=object_key(ref, name), Body=data, **tagging)
        except AwsError as error:
            raise unavailable("put_payload", error) from error
        return Stored.of(name, data)

    def put_all(self, parcels: Sequence[Parcel]) -> list[UnavailableError | None]:
        """See Payloads."""
        # Most of it is waiting, so that two are faster beside each other already.
        return each(self._try_put, parcels, in_turn=1)

    def get(self, ref: JobRef, stored: Stored) -> bytes:
        """See Payloads."""
        key = object_key(ref, stored.name)
        try:
            answer = self._clients.s3.get_object(Bucket=self._bucket, Key=key)
            with closing(answer["Body"]) as body:
                # One byte more shows that there are more, and an object of any size does no harm.
                data = stored.check(body.read(stored.size + 1))
        except AwsError as error:
            self._refuse("get_payload", ref, stored, error)
        age_ms = self._now_ms() - int(answer["LastModified"].timestamp() * 1000)
        if age_ms > milliseconds(limits.PAYLOAD_RENEWAL) and not has_own_life(stored.name):
            self.put(ref, stored.name, data)
        return data

    def renew(self, ref: JobRef, stored: Stored) -> None:
        """See Payloads. The object is copied onto itself, which makes it new to the lifecycle."""
        key = object_key(ref, stored.name)
        try:
            self._clients.s3.copy_object(
                Bucket=self._bucket,
                Key=key,
                # No character of it would have to be encoded.
                CopySource=f"{self._bucket}/{key}",
                # API Reference, CopyObject: a copy onto itself must change something.
                MetadataDirective="REPLACE",
            )
        except AwsError as error:
            self._refuse("renew_payload", ref, stored, error)

    def discard(self, receipts: Sequence[tuple[JobRef, Stored]]) -> None:
        """See Payloads."""
        each(self._delete, [object_key(ref, stored.name) for ref, stored in receipts], in_turn=1)

    @property
    def _bucket(self) -> str:
        if not self._bucket_name:
            raise SettingsError(f"{PREFIX}PAYLOAD_BUCKET", "is empty, so that nothing large can be stored")
        return self._bucket_name

    def _try_put(self, parcel: Parcel) -> UnavailableError | None:
        try:
            self.put(parcel.ref, parcel.name, parcel.data)
        except UnavailableError as error:
            return error
        return None

    def _delete(self, key: str) -> None:
        with suppress(*AwsError):
            self._clients.s3.delete_object(Bucket=self._bucket, Key=key)

    def _refuse(self, operation: str, ref: JobRef, stored: Stored, error: Exception) -> NoReturn:
        code = code_of(error)
        if code in _GONE | _DENIED:
            raise PayloadGoneError(ref.id, stored.name, denied=code in _DENIED) from None
        # A lasting one too, such as a bucket that is gone: the job waits until somebody mends it.
        raise unavailable(operation, error) from error


def object_key(ref: JobRef, name: str) -> str:
    """Where a job's bytes are. The tenant leads, so that a role can be bound to one tenant's prefix.

    Raises:
        IntegrityError: nothing of ours is called `name`.
    """
    return f"{ref.tenant}/{ref.id}/{check_name(name)}"


def life_for(keep: timedelta) -> timedelta:
    """The shortest life of a result that lasts a day longer than `keep`."""
    return next((life for life in limits.RESULT_LIVES if life >= keep + timedelta(days=1)), limits.RESULT_LIVES[-1])
