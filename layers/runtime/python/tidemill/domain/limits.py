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
# API Reference, SendMessage: MessageGroupId, whose charset an entity has too.
MAX_ENTITY_CHARS: Final = 128
# API Reference of EventBridge Scheduler, CreateSchedule: ScheduleExpressionTimezone.
MAX_ZONE_CHARS: Final = 50
# An event's type is a name as a kind is; EventBridge takes 128 characters (API Reference, PutEventsRequestEntry).
MAX_EVENT_TYPE_CHARS: Final = 64
# API Reference of EventBridge, StartReplay: ReplayName.
MAX_REPLAY_CHARS: Final = 64
# Versions of one model's fields: four digits in each message, and a chain that a thousand changes do not reach.
MAX_CONTRACT_VERSION: Final = 9_999
# A job that a schedule made names it as its cause, in the MAX_TRACE_CHARS that a cause has; Scheduler's own limit is 64
# (API Reference, CreateSchedule, Name).
MAX_SCHEDULE_CHARS: Final = 54
# JSON readers that keep numbers as doubles lose whole numbers beyond this.
MAX_SEQUENCE: Final = (1 << 53) - 1

# --- payloads ----------------------------------------------------------------------------------
# Arguments up to here travel in the message. Half of the 262,144 bytes that every SQS queue accepted before the quota
# rose to 1 MiB, so that an envelope fits any queue and any emulator, and 7 of them fit one SendMessageBatch request.
MAX_ARGS_BYTES: Final = 131_072
# An event's data: a subscriber gets it as the arguments of a job. EventBridge takes entries below 256 KB (User Guide,
# "Calculating PutEvents event entry size").
MAX_EVENT_BYTES: Final = MAX_ARGS_BYTES
# Results up to here stay in the table. DynamoDB items hold 400 KB (Developer Guide, "Service quotas"); the same bound
# as for arguments.
MAX_RESULT_BYTES: Final = 131_072
# Larger ones go to S3, up to here. Lambda takes and returns 6 MB, 6,291,456 bytes (Lambda Developer Guide, "Lambda
# quotas"); the rest is for the request around the arguments and for the quotes that its JSON escapes.
MAX_PAYLOAD_BYTES: Final = 5 * 1024 * 1024
# An error is evidence, not a log: its item stays within 4 write units.
MAX_ERROR_MESSAGE_CHARS: Final = 500
MAX_TRACEBACK_CHARS: Final = 2_000
# Deeper documents are attacks or mistakes; the JSON scanner's own recursion limit is far above.
MAX_JSON_DEPTH: Final = 32
# The envelope around the arguments is a level too: what a submit accepts, the worker must be able to read.
MAX_ARGS_DEPTH: Final = MAX_JSON_DEPTH - 1

# The steps of a job share one item, which every step rewrites: at 1,000 write units a second for one partition
# (Developer Guide, "Partitions and data distribution") more of them would be slow and dear.
MAX_STEPS: Final = 256
MAX_STEP_NAME_CHARS: Final = 64
# A larger result of a step leaves that item for one of its own.
MAX_INLINE_STEP_BYTES: Final = 1_024
# What a job remembers within that item follows, far below the 400 KB that an item of DynamoDB holds.
MAX_REMEMBERED_BYTES: Final = MAX_STEPS * MAX_INLINE_STEP_BYTES
# A position, not the data.
MAX_CURSOR_BYTES: Final = 4_096
# Invocations of one job: at the longest timeout a week and a half of work.
MAX_HAND_OVERS: Final = 1_000
MAX_PROGRESS_NOTE_CHARS: Final = 40
# From how much of a limit on operators are warned.
WARN_AT: Final = 0.8

# An answer is a decision, not a document: its item stays small, and what a job remembers with it.
MAX_ANSWER_BYTES: Final = 16_384
# The answers of one kind, so that nobody can fill a job's partition with what it never asks for.
MAX_ANSWERS: Final = 16
# It stands in the reason of the job that waits, behind `waiting:`.
MAX_WAIT_NAME_CHARS: Final = MAX_REASON_CHARS - len("waiting:")
# What people are shown of a question.
MAX_ASKS_CHARS: Final = 500
MAX_REMINDERS: Final = 16
# Who a token was made for; it stands in the token, which must fit into an address.
MAX_ANSWERER_CHARS: Final = 128

# A job that makes a job that makes a job ... ends here instead of running for ever.
MAX_HOPS: Final = 32
# What one attempt submits: a whole bulk. A job that goes round and round in its loop fills no queue, and one that has
# more to submit checkpoints and hands over, so that no attempt that fails submits all of it again.
MAX_CHILDREN: Final = 10_000

# --- the outbox --------------------------------------------------------------------------------
# A partition takes 1,000 write units a second (Developer Guide, "Partitions and data distribution"), and a row takes
# three: sixteen of them take 5,000 rows a second.
OUTBOX_SHARDS: Final = 16
# What the key of each of its partitions begins with.
OUTBOX_PARTITION: Final = "#outbox#"
# API Reference, TransactWriteItems: at most 100 actions and 4 MB. The rest is for the job's own end.
MAX_OUTBOUNDS: Final = 90
MAX_OUTBOUND_BYTES: Final = 3 * 1024 * 1024
# What a row has beside what it says: its key, names and times.
OUTBOX_OVERHEAD_BYTES: Final = 300
# API Reference, PutEvents: at most ten entries; User Guide, "Calculating PutEvents event entry size": below 256 KB in
# all.
BUS_BATCH_ENTRIES: Final = 10
BUS_BATCH_BYTES: Final = 256 * 1024 - 1
# From this age the janitor sends what the relay has left. The relay asks from half of it on whether it still stands.
OUTBOX_LEFTOVER: Final = minutes(2)

# --- schedules ---------------------------------------------------------------------------------
# A tenant's schedules share one partition, which takes 1,000 writes a second (Developer Guide, "Partitions and data
# distribution"): at one tick a minute each that is 17 writes a second, and a list is ten pages.
MAX_SCHEDULES: Final = 1_000
# The row of a schedule is rewritten at each tick and stays within one write unit.
MAX_CRON_CHARS: Final = 100
PROBLEM_CHARS: Final = 56
# So many of the latest jobs are looked at before a tick that may not overlap, and can still be withdrawn: those of the
# two minutes that the sweep is ahead, at one tick a minute.
MADE_KEPT: Final = 4
MAX_MISSED_RUNS: Final = 100
# More missed ticks than this are not counted one by one.
TICKS_COUNTED: Final = 10_000
MAX_BACKFILL: Final = 1_000
MAX_FIRES_SHOWN: Final = 100
# A tick is late that is made more than this after its time: EventBridge starts the sweep once a minute.
TICK_LATE: Final = minutes(1)

# --- sagas -------------------------------------------------------------------------------------
MAX_SAGA_STEPS: Final = 50
MAX_SAGA_STEP_CHARS: Final = 32
# Step Functions API Reference, SendTaskSuccess: taskToken has 1 to 2,048 characters.
MAX_TASK_TOKEN_CHARS: Final = 2_048
# API Reference, SendTaskSuccess: output holds up to 262,144 bytes, and so does the state of a whole execution (Step
# Functions Developer Guide, "Service quotas"). So what one step tells the next ones is a part of that.
MAX_TOLD_BYTES: Final = 2_048
# What a saga is started with travels to every step of it within the same 262,144 bytes; less where branches copy it.
MAX_SAGA_ARGS_BYTES: Final = 65_536
# A compensation that gives up leaves the saga half done.
MIN_UNDO_ATTEMPTS: Final = 10
# --- batches -----------------------------------------------------------------------------------
# The children of one shard are counted in one item: a hundred numbers of two digits, each of them twice (a child that
# died and succeeded later), stay within one write unit, and a shard takes some hundred writes in all.
CHILDREN_PER_SHARD: Final = 100
# Of all levels together: a hundred shards, whose numbers fit into the batch's own item.
MAX_BATCH_CHILDREN: Final = 10_000
# Those that wait for others of their chain or graph, in batches within it: whoever ends what they wait for submits
# them, in the seconds that a worker has left after its jobs.
MAX_WAITING_CHILDREN: Final = 1_000
MAX_BATCH_DEPTH: Final = 8
MAX_EDGES: Final = 1_000
MAX_LISTED_FAILURES: Final = 20

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
# How long a request may wait for its job. An HTTP API's integration has 30 seconds, which no quota raises (API Gateway
# Developer Guide, "Quotas for configuring and running an HTTP API"); the rest is for the start and the submit.
MAX_REPLY_WAIT: Final = seconds(25)
# The janitor runs every minute and sends what falls due within two, so that a late run is no late job.
SWEEP_PERIOD: Final = minutes(1)
SWEEP_AHEAD: Final = minutes(2)
# After so many children a batch says how far its submitter came: 0.002 write units a child.
BATCH_STEP: Final = 500
# How soon the janitor looks at a new batch for children whose end nobody counted, and how seldom at an old one.
BATCH_CHECK: Final = minutes(2)
MAX_BATCH_CHECK: Final = hours(1)
# The same once it has ended without success: a child that was redriven may be the last that it needs.
MAX_ENDED_BATCH_CHECK: Final = days(1)
# Batches that one run of the janitor looks at, and how many of their children: a few seconds of reads, 100 in a call.
CHECKED_BATCHES: Final = 100
CHECKED_CHILDREN: Final = 5_000
# How long a submitter may take, repeats of its call included: what it has not submitted by then never comes.
BATCH_SUBMIT_TIME: Final = hours(24)
# How long a job waits whose arguments S3 did not hand out: this, then twice as long each time, up to the second.
PAYLOAD_WAIT: Final = seconds(5)
MAX_PAYLOAD_WAIT: Final = minutes(5)
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
# A job that runs longer than one invocation hands over, and may do that so often.
MAX_RUN_TIME: Final = MAX_HAND_OVERS * MAX_FUNCTION_TIMEOUT
# The end of that is for the messages: until then, an outcome that the table did not take is written again and again.
SETTLING_TIME: Final = seconds(2)
# How long after the first try; each next wait is twice as long, up to the second.
RECORD_AGAIN: Final = seconds(0.25)
MAX_RECORD_AGAIN: Final = seconds(5)
# What a job that got HardTimeout has for its last words before it is left behind.
HARD_GRACE: Final = seconds(1)
# A checkpoint with less than this part of the time to the job's first timeout left hands over.
HAND_OVER_AT: Final = 0.1
MIN_HEARTBEAT: Final = seconds(10)
# How often a running job's progress, and the question whether it is to stop, reach the table at the most.
PULSE: Final = seconds(5)
# API Reference, ChangeMessageVisibility: 0 to 43,200 seconds.
MAX_VISIBILITY: Final = hours(12)
# They count from the receive, and a change that would exceed them is refused: the longest that a worker may ask for
# at its function's end.
MAX_HIDING: Final = MAX_VISIBILITY - MAX_FUNCTION_TIMEOUT

# API Reference of EventBridge Scheduler, FlexibleTimeWindow: MaximumWindowInMinutes, 1 to 1440.
MAX_SCHEDULE_JITTER: Final = hours(24)
# From when a tick is counted as late: Scheduler fires within a minute and repeats what failed, with growing waits.
LATE_TICK: Final = minutes(5)

# --- retention ---------------------------------------------------------------------------------
SOURCE_RETENTION: Final = days(4)
# The longest that SQS offers. A standard DLQ counts from the original send, so it must exceed the source's.
DLQ_RETENTION: Final = days(14)
# The STATE item outlives every message that could still name it: source, then DLQ, then a day of margin.
STATE_HORIZON: Final = SOURCE_RETENTION + DLQ_RETENTION + days(1)
# What a job remembers outlives its last use by this and the retention of a dead job: it may wait as long as any job
# may, and die then.
MEMORY_HORIZON: Final = MAX_DELAY + STATE_HORIZON
MAX_RETENTION: Final = days(400)
# How long a row of the outbox that nothing could send stays there for people to look at.
OUTBOX_RETENTION: Final = days(400)
# How long the numbering of an entity outlives its last job: as long as any record of one.
ENTITY_MEMORY: Final = MAX_RETENTION
# How long a step may take with all its retries. Its record must outlive the question what became of it.
MAX_STEP_TIMEOUT: Final = days(14)
# How long a saga waits for a person to mend what it can't do without: a compensation, or a step after the pivot.
# An execution lasts a year at the most (Step Functions Developer Guide, "Service quotas").
SAGA_PATIENCE: Final = days(90)
# From this age of a message on a FIFO lane, what fails in it is dead: whoever waits behind it must run before the
# queue's retention deletes it, and has the other half of that for it.
MAX_IN_ORDER_AGE: Final = SOURCE_RETENTION / 2
# The longest time from one use of a stored payload to the next: a wait, a message's life, a dead job's retention.
PAYLOAD_REFERENCE: Final = MAX_DELAY + STATE_HORIZON + MAX_RETENTION
# One that is read at a greater age than this is written anew, so that its life begins again.
PAYLOAD_RENEWAL: Final = days(80)
# After which S3 deletes it: a read that did not renew it leaves it the longest time that may pass until the next.
PAYLOAD_LIFE: Final = PAYLOAD_REFERENCE + PAYLOAD_RENEWAL
# A large result is read only while its job is kept: it has the shortest of these that is a day longer than that, for
# the time between its writing and the end of its job.
RESULT_LIVES: Final = (days(8), days(32), days(128), MAX_RETENTION + days(1))

# How long a batch that has ended can be looked at: as long as the longest that its dead children may be redriven in
# (DLQ_RETENTION), twice.
BATCH_RETENTION: Final = DLQ_RETENTION * 2

# --- attempts ----------------------------------------------------------------------------------
MAX_ATTEMPTS: Final = 25
# At an hour each more than a year, which is longer than any job may wait (MAX_DELAY).
MAX_DEFERRALS: Final = 10_000
# A job whose worker died three times is poison: the fourth try would most likely kill a fourth worker.
MAX_CRASHES: Final = 3
# How often SQS hands out one message before it moves it to the DLQ. AWS asks for at least five with
# Lambda (Lambda Developer Guide, "Creating and configuring an Amazon SQS event source"); waits over
# MAX_IN_QUEUE_WAIT are sent anew and start a new count, so five is enough for any retry policy. The other five are for
# what is not the job's doing, and must not be its end before MAX_CRASHES is: throttled invocations, workers that die
# before they claim, receives that meet a lease. A dead job's message burns what is left, one quick failed write each.
MAX_RECEIVES: Final = 10
# A FIFO lane can't park, because its successors would overtake the job, so that every wait costs a receive. A dead
# job's message burns what is left of them, one quick failed write each, before its group goes on.
MAX_FIFO_RECEIVES: Final = 100
# How long a message is hidden whose job the table did not tell of: this, and with each receive twice as long, up to
# the second. So a message that has receives left outlasts an hour, one that has all of them more than five, and none
# waits longer than about an hour once the table answers.
UNASKED_HOLD: Final = minutes(2)
MAX_UNASKED_HOLD: Final = UNASKED_HOLD * 32
# The same on a FIFO lane, where all receives together may last as long as a message may wait.
MAX_UNASKED_FIFO_HOLD: Final = MAX_IN_ORDER_AGE / MAX_FIFO_RECEIVES
# How long a message is first left for newer code, and with each receive twice as long, up to the second: a rolling
# deploy is over in seconds, a rollback in an hour, and all receives of a FIFO lane last as long as a message may wait.
UPGRADE_HOLD: Final = seconds(15)
MAX_UPGRADE_HOLD: Final = MAX_IN_ORDER_AGE / MAX_FIFO_RECEIVES
# Records of a batch whose workers died are run alone, so they are spread: each next one waits this much longer.
SUSPECT_SPACING: Final = seconds(2)
