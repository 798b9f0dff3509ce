"""Retry policies: when and how often a failed job is tried again."""

from tidemill import Jitter, Retry, hours, minutes, seconds

# What a job has that names no policy: each wait is a random part of 2 s, 4 s, 8 s, 16 s.
DEFAULT = Retry()

# A random part of 1 s, 2 s, 4 s, ... up to 10 min: spreads most.
FULL = Retry(max_attempts=10, base=seconds(1), cap=minutes(10), jitter=Jitter.FULL)
# Half of it for certain, the other half random: never at once.
EQUAL = Retry(max_attempts=10, base=seconds(1), cap=minutes(10), jitter=Jitter.EQUAL)
# Between 1 s and three times the wait before.
DECORRELATED = Retry(max_attempts=10, base=seconds(1), cap=minutes(10), jitter=Jitter.DECORRELATED)
# Exactly 1 s, 2 s, 4 s, ...: jobs that failed together come back together.
NONE = Retry(max_attempts=10, base=seconds(1), cap=minutes(10), jitter=Jitter.NONE)

# Waits of your own. The last one repeats: here before the sixth and the seventh attempt too.
EXPLICIT = Retry(max_attempts=7, delays=(seconds(1), seconds(5), seconds(30), minutes(5)))
# Once an hour for a day.
PATIENT = Retry(max_attempts=25, delays=(hours(1),))
