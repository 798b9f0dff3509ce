"""Where moto and MiniStack are known to answer differently from AWS, by the name of the edge that shows it.

`docs/emulators.md` is this table in words; a test holds the two equal. Another test asks every emulator about every
entry, so that one that was mended since fails until its entry is taken out.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.conformance.difference import Difference
from tests.conformance.differences_dynamodb import DYNAMODB
from tests.conformance.differences_s3 import S3
from tests.conformance.differences_sqs import SQS

DIFFERENCES = (*DYNAMODB, *SQS, *S3)
BY_NAME: Mapping[str, Difference] = {one.name: one for one in DIFFERENCES}


def known(emulator: str, names: set[str]) -> list[Difference]:
    """Those of `names` in which this emulator differs."""
    return [BY_NAME[name] for name in names if emulator in BY_NAME[name].outcomes]
