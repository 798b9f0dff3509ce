"""The arguments of a callback that wants to know how its batch ended."""

from __future__ import annotations

import json

from pydantic import Field

from tidemill.domain.args import JobArgs
from tidemill.domain.batch_record import BatchRecord, Ending
from tidemill.domain.strict_json import dump_canonical


class BatchEnded(JobArgs):
    """How a batch ended, as its callback is told.

    Subclass it with a kind, and with fields of your own if you like::

        class AlbumDone(BatchEnded, kind="album.done"):
            album: int

        Batch([...], then=AlbumDone(album=7))

    The fields below are filled in when the batch ends, whatever they were before. The results of the children are
    read with `client.batches.results(batch_id)`.

    Attributes:
        batch_id: of the batch. `outcome`: `succeeded`, `failed` or `cancelled`.
        total: how many children it has. `succeeded`, `failed`, `cancelled`: how many of them ended so.
        skipped: how many never ran, because what they waited for did not succeed.
        failures: index and job id of the first children that failed, 20 at the most.
    """

    batch_id: str = ""
    outcome: str = ""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    failures: list[tuple[int, str]] = Field(default_factory=list)


def told(args: bytes, record: BatchRecord, ending: Ending) -> bytes:
    """A callback's canonical argument bytes, filled in with how the batch ended.

    They stay JSON: whoever ends the batch need not know the callback's model.
    """
    document = json.loads(args)
    document.update(
        batch_id=record.ref.id,
        outcome=ending.state.value,
        total=record.size,
        succeeded=ending.succeeded,
        failed=ending.failed,
        cancelled=ending.cancelled,
        skipped=ending.skipped,
        failures=[[index, record.ref.child(index).id] for index in ending.failures],
    )
    return dump_canonical(document, "args")
