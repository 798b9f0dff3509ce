"""Every limit Tidemill enforces, in one place, each with its reason or its source.

AWS numbers name the document they come from; ours say what they protect.
"""

from __future__ import annotations

from typing import Final

from tidemill.domain.duration import days, hours, minutes, seconds

# --- names -------------------------------------------------------------------------------------
# The STATE item must stay under one write unit (1 KB) at the longest names, so names are short.
MAX_KIND_CHARS: Final = 64
MAX_TENANT_CHARS: Final = 48
MAX_LANE_CHARS: Final = 32
# Each lane takes about 210 bytes of a function's environment, which holds 4 KB (Lambda Developer Guide,
# "Lambda quotas").
MAX_LANES: Final = 16
MAX_KEY_CHARS: Final = 96
# Codes that Tidemill writes itself; tests hold them to it.
MAX_REASON_CHARS: Final = 32
MAX_TRACE_CHARS: Final = 64

# --- payloads ----------------------------------------------------------------------------------
# Half of the 262,144 bytes that every SQS queue accepted before the quota rose to 1 MiB, so that an
# envelope fits any queue and any emulator, and 7 of them fit one SendMessageBatch request.
MAX_ARGS_BYTES: Final = 131_072
# DynamoDB items hold 400 KB (Developer Guide, "Service quotas"); a result item keeps the same bound as arguments.
MAX_RESULT_BYTES: Final = 131_072
# An error is evidence, not a log: its item stays within 4 write units.
MAX_ERROR_MESSAGE_CHARS: Final = 500
MAX_TRACEBACK_CHARS: Final = 2_000
# Deeper documents are attacks or mistakes; the JSON scanner's own recursion limit is far above.
MAX_JSON_DEPTH: Final = 32
# The envelope around the arguments is a level too: what a submit accepts, the worker must be able to read.
MAX_ARGS_DEPTH: Final = MAX_JSON_DEPTH - 1

# --- requests ----------------------------------------------------------------------------------
MAX_BULK_JOBS: Final = 10_000
MAX_PAGE: Final = 100
# API Reference, SendMessageBatch: at most ten entries and 1,048,576 bytes in all.
SEND_BATCH_ENTRIES: Final = 10
SEND_BATCH_BYTES: Final = 1_048_576
# API Reference, BatchExecuteStatement: at most 25 statements.
STATEMENTS_PER_BATCH: Final = 25

# --- time --------------------------------------------------------------------------------------
# API Reference, SendMessage: DelaySeconds from 0 to 900.
MAX_QUEUE_DELAY: Final = minutes(15)
MAX_DELAY: Final = days(365)
# A wait longer than this leaves the queue for the table: messages hidden by visibility count as
# in flight, of which a queue holds 120,000 (SQS Developer Guide, "Amazon SQS standard queue quotas").
MAX_IN_QUEUE_WAIT: Final = seconds(60)
# The janitor runs every minute and sends what falls due within two, so that a late run is no late job.
SWEEP_PERIOD: Final = minutes(1)
SWEEP_AHEAD: Final = minutes(2)
# How long a message is hidden that met a record in motion: the next receive sees where it came to rest.
SHORT_HOLD: Final = seconds(1)
# How far two machines' clocks may disagree before a lease is taken over while its holder still runs.
CLOCK_SKEW: Final = seconds(30)
# Lambda Developer Guide, "Lambda quotas": a function runs for 900 seconds at the most.
MAX_FUNCTION_TIMEOUT: Final = minutes(15)
# What a worker function needs beside its jobs: the claim before, the record after, a cold start's rest.
FUNCTION_OVERHEAD: Final = seconds(15)
# What of it is kept for recording the outcomes: jobs that run longer are left behind.
RECORDING_TIME: Final = seconds(5)
# API Reference, ChangeMessageVisibility: 0 to 43,200 seconds.
MAX_VISIBILITY: Final = hours(12)

# --- retention ---------------------------------------------------------------------------------
SOURCE_RETENTION: Final = days(4)
# The longest that SQS offers. A standard DLQ counts from the original send, so it must exceed the source's.
DLQ_RETENTION: Final = days(14)
# The STATE item outlives every message that could still name it: source, then DLQ, then a day of margin.
STATE_HORIZON: Final = SOURCE_RETENTION + DLQ_RETENTION + days(1)
MAX_RETENTION: Final = days(400)

# --- attempts ----------------------------------------------------------------------------------
MAX_ATTEMPTS: Final = 25
# A job whose worker died three times is poison: the fourth try would most likely kill a fourth worker.
MAX_CRASHES: Final = 3
# How often SQS hands out one message before it moves it to the DLQ. AWS asks for at least five with
# Lambda (Lambda Developer Guide, "Creating and configuring an Amazon SQS event source"); waits over
# MAX_IN_QUEUE_WAIT are sent anew and start a new count, so five is enough for any retry policy.
MAX_RECEIVES: Final = 5
