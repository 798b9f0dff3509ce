"""The env contract: what a deployed function, the command line and a test know about one stack.

CDK writes it with `to_env`, the runtime reads it with `from_env`; no other code names these variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidemill.domain.errors import SettingsError

PREFIX: Final = "TIDEMILL_"


class LaneSettings(BaseModel):
    """Where one lane's queues are."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queue_url: str = Field(min_length=1)
    dlq_url: str = Field(min_length=1)


class RuntimeSettings(BaseModel):
    """The resources of one stack.

    Attributes:
        stack: the stack's name, used as the metrics namespace's dimension.
        table: the jobs table.
        lanes: the queues by lane name, in the registry's order.
        list_index: whether new jobs are written to the list index (one write unit a job).
        payload_bucket: where large payloads go.
        idempotency_table: for Powertools' idempotency decorators.
        lane: the lane this worker serves; empty everywhere else.
        tenant_claim: the claim of the HTTP API's tokens that holds the tenant; empty where callers sign with
            AWS credentials.
        api_url: where the HTTP API answers, without a slash at the end; what jobs' links begin with. Empty where the
            stack has none.
        sagas: the ARN of each saga's state machine by the saga's name; workers are not told.
        outbox: whether the stack has a relay, which sends what transactions commit.
        bus: the EventBridge bus of the program's events; only the relay and the janitor are told.
        events_table: the event store; empty where the registry declares no streams.
        lines_table: the read models; empty where it declares no projections.
        webhooks: the names of endpoints that the registry lists; only the command line is told.
        code_version: tells one deployment of the jobs' code from another; remembered steps carry it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stack: str = Field(min_length=1)
    table: str = Field(min_length=1)
    lanes: dict[str, LaneSettings] = Field(min_length=1)
    list_index: bool = True
    payload_bucket: str = ""
    idempotency_table: str = ""
    lane: str = ""
    tenant_claim: str = ""
    code_version: str = ""
    api_url: str = ""
    sagas: dict[str, str] = Field(default_factory=dict)
    outbox: bool = False
    bus: str = ""
    events_table: str = ""
    lines_table: str = ""
    webhooks: tuple[str, ...] = ()

    def to_env(self) -> dict[str, str]:
        """The variables, ready for a function's environment. CDK tokens pass through unharmed."""
        lanes = {name: lane.model_dump() for name, lane in self.lanes.items()}
        return {
            f"{PREFIX}STACK": self.stack,
            f"{PREFIX}TABLE": self.table,
            f"{PREFIX}LANES": json.dumps(lanes, separators=(",", ":")),
            f"{PREFIX}LIST_INDEX": "on" if self.list_index else "off",
            f"{PREFIX}PAYLOAD_BUCKET": self.payload_bucket,
            f"{PREFIX}IDEMPOTENCY_TABLE": self.idempotency_table,
            f"{PREFIX}LANE": self.lane,
            f"{PREFIX}TENANT_CLAIM": self.tenant_claim,
            f"{PREFIX}CODE_VERSION": self.code_version,
            f"{PREFIX}API_URL": self.api_url,
            f"{PREFIX}SAGAS": json.dumps(self.sagas, separators=(",", ":")),
            # What only some stacks have takes no room in the others.
            **({f"{PREFIX}OUTBOX": "on"} if self.outbox else {}),
            **({f"{PREFIX}BUS": self.bus} if self.bus else {}),
            **({f"{PREFIX}WEBHOOKS": json.dumps(self.webhooks, separators=(",", ":"))} if self.webhooks else {}),
            **{
                f"{PREFIX}{name.upper()}": table
                for name in ("events_table", "lines_table")
                if (table := getattr(self, name))
            },
        }

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables back.

        Raises:
            SettingsError: one is missing or ill-formed.
        """
        values = {name: environ[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environ}
        empty = {"lanes": "{}", "sagas": "{}", "webhooks": "[]"}
        documents = {name: _parsed(name, values.get(name, nothing)) for name, nothing in empty.items()}
        try:
            return cls.model_validate({**values, **documents})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise SettingsError(PREFIX + str(first["loc"][0]).upper(), f"is unusable: {first['msg']}") from None


def _parsed(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name.upper()}", f"is no JSON: {error}") from None
