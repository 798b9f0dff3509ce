"""S3's API on buckets in memory: whole objects, their checksums and their metadata."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.response import StreamingBody

from bench.cloud.refused import Refused

Document = dict[str, Any]

_DAY_MS = 24 * 3_600 * 1_000
_SUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """A rule that removes objects.

    Arguments:
        days: after which. `prefix`: how their keys begin.
        tag: the tag that they carry, and its value; None for all.
    """

    days: int
    prefix: str = ""
    tag: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BucketDefinition:
    """How a bucket is set up: where several rules fit, the one that ends first counts."""

    name: str
    rules: tuple[LifecycleRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """One object."""

    data: bytes
    at_ms: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    # The checksum that was asked for, or CRC32, which S3 adds by itself.
    algorithm: str = "CRC32"

    @property
    def etag(self) -> str:
        """In quotes, as S3 answers it."""
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'

    @property
    def checksum(self) -> dict[str, str]:
        """By its name in answers."""
        return {f"Checksum{self.algorithm}": checksum_of(self.algorithm, self.data), "ChecksumType": "FULL_OBJECT"}


@dataclass(slots=True)
class Bucket:
    """Objects by their keys."""

    definition: BucketDefinition
    objects: dict[str, Stored] = field(default_factory=dict)

    def is_over(self, key: str, stored: Stored, now_ms: int) -> bool:
        """Whether a lifecycle rule has removed the object.

        User Guide, "Lifecycle configuration elements": the time is the object's creation and the days, rounded up
        to the next day's midnight UTC.
        """
        fitting = [
            rule.days
            for rule in self.definition.rules
            if key.startswith(rule.prefix) and (rule.tag is None or stored.tags.get(rule.tag[0]) == rule.tag[1])
        ]
        return bool(fitting) and now_ms >= -(-(stored.at_ms + min(fitting) * _DAY_MS) // _DAY_MS) * _DAY_MS


class S3:
    """The operations by their names; each takes and answers what botocore takes and answers."""

    def __init__(self, buckets: Sequence[Bucket], now_ms: Callable[[], int]) -> None:
        self._buckets = {bucket.definition.name: bucket for bucket in buckets}
        self._now_ms = now_ms
        self.operations: Mapping[str, Callable[[Document], Document]] = {
            "CopyObject": self._copy,
            "DeleteObject": self._delete,
            "GetObject": self._get,
            "HeadObject": self._head,
            "PutObject": self._put,
        }

    def _bucket(self, name: str) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", status=404)
        return bucket

    def _found(self, name: str, key: str) -> Stored | None:
        bucket = self._bucket(name)
        stored = bucket.objects.get(key)
        if stored is not None and bucket.is_over(key, stored, self._now_ms()):
            del bucket.objects[key]
            return None
        return stored

    def _put(self, asked: Document) -> Document:
        bucket, key = self._bucket(asked["Bucket"]), asked["Key"]
        held = self._found(asked["Bucket"], key)
        _check_preconditions(asked, held)
        stored = Stored(
            _bytes(asked.get("Body", b"")),
            self._now_ms(),
            {name.lower(): value for name, value in asked.get("Metadata", {}).items()},
            {name: asked[name] for name in _KEPT if name in asked},
            dict(parse_qsl(asked.get("Tagging", ""))),
            _algorithm(asked),
        )
        _check_sums(asked, stored.data)
        bucket.objects[key] = stored
        return {"ETag": stored.etag, "ServerSideEncryption": "AES256", **stored.checksum}

    def _get(self, asked: Document) -> Document:
        stored = self._found(asked["Bucket"], asked["Key"])
        if stored is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", status=404, details={"Key": asked["Key"]})
        data, part = _part(stored.data, asked.get("Range"))
        return {**_described(stored, asked), **part, "Body": StreamingBody(io.BytesIO(data), len(data))}

    def _head(self, asked: Document) -> Document:
        stored = self._found(asked["Bucket"], asked["Key"])
        if stored is None:
            # An answer to HEAD has no body, so that botocore knows its status only.
            raise Refused("404", "Not Found", status=404)
        return _described(stored, asked)

    def _copy(self, asked: Document) -> Document:
        name, key = _source(asked["CopySource"])
        held = self._found(name, key)
        if held is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", status=404, details={"Key": key})
        wanted = asked.get("CopySourceIfMatch")
        if wanted is not None and wanted.strip('"') != held.etag.strip('"'):
            raise _precondition_failed()
        replaced = asked.get("MetadataDirective", "COPY") == "REPLACE"
        if (name, key) == (asked["Bucket"], asked["Key"]) and not replaced:
            raise Refused(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes.",
            )
        metadata = {name.lower(): value for name, value in asked.get("Metadata", {}).items()}
        stored = Stored(
            held.data,
            self._now_ms(),
            metadata if replaced else held.metadata,
            {name: asked[name] for name in _KEPT if name in asked} if replaced else held.headers,
            # The tags go along, unless a directive of their own says otherwise.
            dict(parse_qsl(asked.get("Tagging", ""))) if asked.get("TaggingDirective") == "REPLACE" else held.tags,
            asked.get("ChecksumAlgorithm", held.algorithm),
        )
        self._bucket(asked["Bucket"]).objects[asked["Key"]] = stored
        result = {"ETag": stored.etag, "LastModified": _moment(stored.at_ms), **stored.checksum}
        return {"CopyObjectResult": result, "ServerSideEncryption": "AES256"}

    def _delete(self, asked: Document) -> Document:
        self._bucket(asked["Bucket"]).objects.pop(asked["Key"], None)
        return {}


def checksum_of(algorithm: str, data: bytes) -> str:
    """A checksum as S3 writes it."""
    return base64.b64encode(_SUMS[algorithm](data)).decode()


def _described(stored: Stored, asked: Document) -> Document:
    found: Document = {
        **({"TagCount": len(stored.tags)} if stored.tags else {}),
        "AcceptRanges": "bytes",
        "LastModified": _moment(stored.at_ms),
        "ContentLength": len(stored.data),
        "ETag": stored.etag,
        "ContentType": "binary/octet-stream",
        "ServerSideEncryption": "AES256",
        "Metadata": dict(stored.metadata),
        **stored.headers,
    }
    return found | stored.checksum if asked.get("ChecksumMode") == "ENABLED" else found


def _part(data: bytes, wanted: str | None) -> tuple[bytes, Document]:
    if wanted is None:
        return data, {}
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start > end:
        raise Refused("InvalidRange", "The requested range is not satisfiable", status=416)
    part = data[start : end + 1]
    return part, {"ContentLength": len(part), "ContentRange": f"bytes {start}-{end}/{len(data)}"}


def _check_preconditions(asked: Document, held: Stored | None) -> None:
    if asked.get("IfNoneMatch") == "*" and held is not None:
        raise _precondition_failed()
    wanted = asked.get("IfMatch")
    if wanted is None:
        return
    if held is None:
        raise Refused("NoSuchKey", "The specified key does not exist.", status=404, details={"Key": asked["Key"]})
    if wanted.strip('"') != held.etag.strip('"'):
        raise _precondition_failed()


def _check_sums(asked: Document, data: bytes) -> None:
    for algorithm in _SUMS:
        given = asked.get(f"Checksum{algorithm}")
        if given is not None and given != checksum_of(algorithm, data):
            raise Refused("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    if asked.get("ContentMD5", digest) != digest:
        raise Refused("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _algorithm(asked: Document) -> str:
    named = [name for name in _SUMS if f"Checksum{name}" in asked]
    algorithm = asked.get("ChecksumAlgorithm") or (named[0] if named else "CRC32")
    if algorithm not in _SUMS:
        raise NotImplementedError(f"checksum {algorithm}: this fake knows {', '.join(_SUMS)}")
    return str(algorithm)


def _source(copied: str | Document) -> tuple[str, str]:
    if isinstance(copied, str):
        name, _, key = unquote(copied).lstrip("/").partition("/")
        return name, key
    return copied["Bucket"], copied["Key"]


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1_000, tz=UTC)


def _precondition_failed() -> Refused:
    return Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412)
