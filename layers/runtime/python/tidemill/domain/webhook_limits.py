"""The limits of webhooks, each with its reason or its source."""

from __future__ import annotations

from typing import Final

from tidemill.domain.duration import days, hours, minutes, seconds

MAX_WEBHOOKS: Final = 32
MAX_WEBHOOK_CHARS: Final = 32
MAX_WEBHOOK_URL_CHARS: Final = 2_048
# From the first look-up of the name to the end of the answer; a receiver is to answer first and to work afterwards.
WEBHOOK_TIME: Final = seconds(10)
# Of the answer nothing but its status and Retry-After is looked at.
MAX_WEBHOOK_ANSWER: Final = 65_536
# Addresses of one name that are tried, one after the other.
MAX_WEBHOOK_ADDRESSES: Final = 8
# Standard Webhooks, "Signature scheme": keys have 24 to 64 bytes.
MIN_WEBHOOK_KEY: Final = 24
MAX_WEBHOOK_KEY: Final = 64
# How far apart the clocks of sender and receiver may be (the same as in the reference implementations).
WEBHOOK_TOLERANCE: Final = minutes(5)
# How long both keys sign after a rotation, at the most.
MAX_WEBHOOK_OVERLAP: Final = days(30)
# The longest that a receiver may put a delivery off with one Retry-After.
MAX_WEBHOOK_WAIT: Final = hours(12)
