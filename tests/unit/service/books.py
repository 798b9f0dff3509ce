"""A bank's books: a store, its read model, and who keeps them together."""

from itertools import count

from pydantic import BaseModel, ConfigDict

from tests.builders import Telemetry
from tests.streams import Moved, Opened, account, parts
from tidemill.aws.event_items import fact_item
from tidemill.domain.projection import projection
from tidemill.service.projecting import Projector
from tidemill.service.read_models import ReadModels
from tidemill.service.rebuilding import Rebuilder
from tidemill.service.streams import Streams
from tidemill.testing.events import MemoryEvents
from tidemill.testing.lines import MemoryLines

POISON = 666
_sequences = count(1)


def a_record(recorded, *, created_s=0):
    """What the table's stream tells of a new fact."""
    item = fact_item(recorded)
    return {
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": str(next(_sequences)),
            "ApproximateCreationDateTime": created_s,
        },
    }


class Balance(BaseModel):
    model_config = ConfigDict(frozen=True)

    cents: int = 0
    order: tuple[int, ...] = ()


class Books:
    """A store, its read model, and who keeps them together."""

    def __init__(self, factor=1):
        self.store, self.lines, self.telemetry = MemoryEvents(), MemoryLines(), Telemetry()
        self.streams = Streams(*parts(self.store))
        self.deploy(factor)

    def deploy(self, factor=1, poison=POISON):
        """Another version of the projection."""

        @projection("balances", of=account, model=Balance, group=lambda _: "all", order=lambda line: max(0, line.cents))
        def balances(line, event, fact):
            if isinstance(event, Opened):
                return line
            if event.cents == poison:
                raise ValueError("no such coin")
            line = line or Balance()
            return Balance(cents=line.cents + factor * event.cents, order=(*line.order, fact.sequence))

        self.balances = balances
        self.projector = Projector(self.store, self.lines, {"balances": balances}, self.telemetry)
        self.rebuilder = Rebuilder(self.store, self.lines, self.projector)
        self.models = ReadModels(self.lines)

    def move(self, key, *cents):
        """Append, and answer what the table's stream would tell of it."""
        before = self.streams.load(account, key)
        self.streams.append(before, *(Moved(cents=one) for one in cents))
        return list(self.streams.facts(account, key, after=before.version))

    def shown(self, key):
        found = self.models.get(self.balances, key)
        return found and found.shown

    def rebuild(self):
        self.fill(self.rebuilder.begin("balances"))
        self.rebuilder.switch("balances")

    def fill(self, edition=None):
        edition = edition or self.rebuilder.filling("balances")
        self._to_the_end(lambda cursor: self.rebuilder.fill("balances", edition, cursor))

    def catch_up(self):
        self._to_the_end(lambda cursor: self.rebuilder.catch_up("balances", cursor))

    def _to_the_end(self, step):
        cursor = None
        while True:
            cursor = step(cursor).cursor
            if cursor is None:
                return
