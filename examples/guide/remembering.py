"""Where Powertools' idempotency records go: the name of the stack's table, inside a worker."""

import os
from collections.abc import Mapping

from tidemill.settings import RuntimeSettings


def idempotency_table(environ: Mapping[str, str] = os.environ) -> str:
    """The table's name. The same as `environ["TIDEMILL_IDEMPOTENCY_TABLE"]`, checked."""
    return RuntimeSettings.from_env(environ).idempotency_table
