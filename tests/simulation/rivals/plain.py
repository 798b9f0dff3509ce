"""The plain handler, as the Lambda Developer Guide shows it ("Implementing partial batch responses").

It calls no AWS service, has no notion of a job, and what it passes to the dependency is the one identity that it
is given: the message's id.
"""

import json

from tests.simulation.rivals import work


def lambda_handler(event, context):
    batch_item_failures = []
    for record in event["Records"]:
        try:
            process(record)
        except Exception:  # noqa: BLE001 - as the guide writes it
            batch_item_failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": batch_item_failures}


def process(record):
    order = json.loads(record["body"])
    work.begin(order["number"])
    work.charge(order["number"], record["messageId"])
    work.finish(order["number"])
