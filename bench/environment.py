"""The environment of both handlers: the env contract, and Lambda's own variables."""

from __future__ import annotations

from bench.cloud.account import IDEMPOTENCY_TABLE, JOBS_TABLE, LANE, TEXTBOOK_JOBS_TABLE, queue_url
from bench.cloud.poller import REGION
from tidemill.settings import LaneSettings, RuntimeSettings


def environment(*, lane: str = LANE, list_index: bool = False) -> dict[str, str]:
    """What a deployed function would find, as far as handlers read it."""
    settings = RuntimeSettings(
        stack="Bench",
        table=JOBS_TABLE,
        lanes={lane: LaneSettings(queue_url=queue_url(lane), dlq_url=queue_url(f"{lane}-dlq"))},
        list_index=list_index,
        payload_bucket="tidemill-bench-payloads",
        idempotency_table=IDEMPOTENCY_TABLE,
        lane=lane,
    )
    return {
        **settings.to_env(),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_LAMBDA_FUNCTION_NAME": "tidemill-bench-worker",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "POWERTOOLS_SERVICE_NAME": "textbook",
        "POWERTOOLS_METRICS_NAMESPACE": "Textbook",
        "IDEMPOTENCY_TABLE": IDEMPOTENCY_TABLE,
        "JOBS_TABLE": TEXTBOOK_JOBS_TABLE,
    }
