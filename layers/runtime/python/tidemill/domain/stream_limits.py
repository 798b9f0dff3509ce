"""The limits of streams and read models, each with its reason or its source."""

from __future__ import annotations

from typing import Final

from tidemill.domain import limits

# It stands in every subject and every row of an index.
MAX_CATEGORY_CHARS: Final = 32
# With its category a key is a fact's subject, which may be as long as an entity.
MAX_STREAM_KEY_CHARS: Final = limits.MAX_ENTITY_CHARS - MAX_CATEGORY_CHARS - 1
# API Reference, TransactWriteItems: 100 actions and 4 MB.
MAX_TRANSACTION_ITEMS: Final = 100
# Each fact may have a row of an outbox beside it, which says the same once more; twenty are left for the caller's own.
MAX_APPEND_EVENTS: Final = 40
MAX_APPEND_BYTES: Final = 1_048_576
# A snapshot is read at every load; an item holds 400 KB (Developer Guide, "Service quotas").
MAX_STATE_BYTES: Final = 262_144
MAX_SNAPSHOT_EVERY: Final = 10_000
# What a projection keeps of one stream is written anew with every fact.
MAX_LINE_BYTES: Final = 65_536
# How often an append that meets another one is decided again before its caller hears of it.
MAX_DECISIONS: Final = 8
