"""Jobs that belong together: batches, chains and graphs, and what happens after them.

    from tidemill.batches import Batch, BatchEnded, Chain, tolerate

    client.start(Batch([Resize(key=key) for key in keys], then=Publish(album=7)), key="album:7")

`docs/batches.md` is the tour.
"""

from tidemill.domain.batch import Fate, Tally
from tidemill.domain.batch_ended import BatchEnded
from tidemill.domain.batch_record import BatchRecord, BatchState, Ending
from tidemill.domain.completion import ALL, FIRST, Completion, at_least, tolerate
from tidemill.service.batch_desk import BatchDesk, ChildResult, FailedChild
from tidemill.service.batch_view import BatchView
from tidemill.service.flow import Batch, Chain, Graph
from tidemill.service.starting import Started

__all__ = (
    "ALL",
    "FIRST",
    "Batch",
    "BatchDesk",
    "BatchEnded",
    "BatchRecord",
    "BatchState",
    "BatchView",
    "Chain",
    "ChildResult",
    "Completion",
    "Ending",
    "FailedChild",
    "Fate",
    "Graph",
    "Started",
    "Tally",
    "at_least",
    "tolerate",
)
