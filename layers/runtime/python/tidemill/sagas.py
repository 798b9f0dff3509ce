"""What a saga is declared with. `docs/sagas.md` is the tour."""

from tidemill.domain.saga.declaring import Branches, Step, Undo, parallel, step, undo
from tidemill.domain.saga.picture import mermaid
from tidemill.domain.saga.references import Condition, Reference, arguments
from tidemill.domain.saga.saga import Saga
from tidemill.domain.undone import Undone

__all__ = (
    "Branches",
    "Condition",
    "Reference",
    "Saga",
    "Step",
    "Undo",
    "Undone",
    "arguments",
    "mermaid",
    "parallel",
    "step",
    "undo",
)
