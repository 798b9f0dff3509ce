"""The environment of each function: the env contract, and what Powertools wants to know."""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.settings import RuntimeSettings
from tidemill_cdk.metrics import NAMESPACE


@dataclass(frozen=True, slots=True)
class FunctionEnvironment:
    """What the functions of one stack are told."""

    settings: RuntimeSettings

    def of(self, lane: str = "", *, publishes: bool = False) -> dict[str, str]:
        """The variables of one function.

        Arguments:
            lane: the worker's; empty for the others. `publishes`: whether it puts facts on the bus.
        """
        # A worker is told in each message whom it reports to.
        less: dict[str, object] = {"sagas": {}} if lane else {}
        # Their code has the registry.
        less["webhooks"] = ()
        if not publishes:
            less["bus"] = ""
        return {
            **self.settings.model_copy(update={"lane": lane, **less}).to_env(),
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_SERVICE_NAME": self.settings.stack,
        }
