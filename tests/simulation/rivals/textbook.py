"""The textbook handler: Powertools' batch processor and idempotency decorator as their documentation joins them.

docs.aws.amazon.com/powertools/python/latest, utilities/idempotency, "Batch integration", for both decorators and
for what is the key; the row with the job's state is kept as boto3's guide shows ("Updating an item"). A failure is
written down and raised again: a handler that returned normally would make Powertools remember the failure as the
result, and no redrive would ever run the job.
"""

import json
import os

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from tests.simulation.rivals import work

processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
# `messageId` in the documentation's example; the other one is made of the payload.
config = IdempotencyConfig(event_key_jmespath=os.environ["IDEMPOTENCY_KEY"])

dynamodb = boto3.client("dynamodb")
jobs_table = os.environ["JOBS_TABLE"]


def set_state(order_id: str, state: str) -> None:
    dynamodb.update_item(
        TableName=jobs_table,
        Key={"id": {"S": order_id}},
        UpdateExpression="SET #state = :state",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":state": {"S": state}},
    )


@idempotent_function(data_keyword_argument="record", config=config, persistence_store=persistence)
def record_handler(record: SQSRecord) -> None:
    order = json.loads(record.body)
    set_state(order["order_id"], "running")
    try:
        work.begin(order["number"])
        work.charge(order["number"], record.message_id if work.passes_message_id() else order["order_id"])
        work.finish(order["number"])
    except Exception:
        set_state(order["order_id"], "failed")
        raise
    set_state(order["order_id"], "succeeded")


def lambda_handler(event, context):
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
