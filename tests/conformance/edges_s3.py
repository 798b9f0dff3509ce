"""Corners of S3."""

from typing import Any

from tests.conformance.edge import Edge, Request


def _s3(operation: str, key: str = "a/b", **arguments: Any) -> Request:
    return ("s3", operation, {"Bucket": "<BUCKET>", "Key": key, **arguments})


_OBJECT = _s3("PutObject", Body=b"bytes")
_ITSELF = {"Bucket": "<BUCKET>", "Key": "a/b"}
S3 = (
    Edge("a wrong checksum", [_s3("PutObject", Body=b"bytes", ChecksumSHA256="AAAA")]),
    Edge(
        "the checksum in a put's answer",
        [_s3("PutObject", Body=b"bytes", ChecksumAlgorithm="SHA256")],
        lambda answer: answer.get("ChecksumSHA256", "none"),
    ),
    Edge(
        "the checksum of a stored object",
        [_s3("PutObject", Body=b"bytes", ChecksumAlgorithm="SHA256"), _s3("HeadObject", ChecksumMode="ENABLED")],
        lambda answer: answer.get("ChecksumSHA256", "none"),
    ),
    Edge(
        "the checksum of a copy",
        [
            _s3("PutObject", Body=b"bytes", ChecksumAlgorithm="SHA256"),
            _s3("CopyObject", "copy", CopySource=_ITSELF),
            _s3("HeadObject", "copy", ChecksumMode="ENABLED"),
        ],
        lambda answer: answer.get("ChecksumSHA256", "none"),
    ),
    Edge("a copy onto itself", [_OBJECT, _s3("CopyObject", CopySource=_ITSELF)]),
    Edge(
        "a copy onto itself with new metadata",
        [
            _OBJECT,
            _s3("CopyObject", CopySource=_ITSELF, MetadataDirective="REPLACE", Metadata={"at": "1"}),
            _s3("HeadObject"),
        ],
        lambda answer: answer["Metadata"],
    ),
    Edge("a copy of nothing", [_s3("CopyObject", CopySource={"Bucket": "<BUCKET>", "Key": "gone"})]),
    Edge("a put where something is", [_OBJECT, _s3("PutObject", Body=b"other", IfNoneMatch="*")]),
    Edge("an object that is gone", [_s3("GetObject", "gone")]),
    Edge("the head of an object that is gone", [_s3("HeadObject", "gone")]),
    Edge("a deletion of nothing", [_s3("DeleteObject", "gone")]),
    Edge("the bytes", [_OBJECT, _s3("GetObject")], lambda answer: answer["Body"].read()),
    Edge(
        "some of the bytes",
        [_OBJECT, _s3("GetObject", Range="bytes=1-2")],
        lambda answer: (answer["Body"].read(), answer["ContentRange"]),
    ),
    Edge("no such bucket", [("s3", "GetObject", {"Bucket": "no-such-bucket", "Key": "a"})]),
)
