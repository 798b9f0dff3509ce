"""What a subscriber of the trials' bus gets."""

import json
import time
from uuid import uuid4


class Heard:
    """A queue that hears everything on the bus, as a subscriber of the stack's own would."""

    def __init__(self, ground):
        events, self.sqs = ground.cloud.client("events"), ground.cloud.client("sqs")
        name = f"heard-{uuid4().hex[:8]}"
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        bus = ground.program.settings.bus
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["tidemill.trials"]}))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "heard", "Arn": arn}])
        self.entries: list[dict] = []
        self.took_s: dict[str, float] = {}

    def listen(self) -> None:
        for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", ()):
            entry = json.loads(message["Body"])
            self.entries.append(entry)
            if "at_ms" in entry["detail"]["data"]:
                took_s = time.time() - entry["detail"]["data"]["at_ms"] / 1000
                self.took_s.setdefault(entry["detail"]["id"], took_s)
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def of(self, kind: str, name: str) -> list[dict]:
        self.listen()
        return [
            entry["detail"]
            for entry in self.entries
            if entry["detail-type"] == kind and name in json.dumps(entry["detail"])
        ]
