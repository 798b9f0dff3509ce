"""Known differences from S3."""

from tests.conformance.difference import Difference, ministack, moto

S3_API = "S3 API Reference"

S3 = (
    Difference(
        "a wrong checksum",
        "PutObject",
        "If the checksum value you provide doesn't match, Amazon S3 fails the request with a BadDigest error",
        f"{S3_API}, PutObject",
        moto("ok"),
    ),
    Difference(
        "the checksum in a put's answer",
        "PutObject",
        "The Base64 encoded, 256-bit SHA256 digest of the object; present if the checksum was uploaded with the object",
        f"{S3_API}, PutObject, response",
        ministack("none"),
    ),
    Difference(
        "a copy onto itself",
        "CopyObject",
        "This copy request is illegal because it is trying to copy an object to itself without changing the "
        "object's metadata",
        "the error's own text",
        ministack("ok"),
    ),
)
