"""What the fake does where no emulator can be asked: time, faults, and the same answer through a socket as without."""

from types import SimpleNamespace

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

from bench.cloud.account import Account
from bench.cloud.lexer import reserved_words
from bench.cloud.protocol import answer_over
from bench.cloud.queue import QueueDefinition
from bench.cloud.s3 import BucketDefinition, LifecycleRule
from bench.cloud.shapes import check_shape
from bench.cloud.wire import Wire
from tests.conformance.edges_dynamodb import DYNAMODB, KEY
from tests.conformance.edges_sqs import SQS
from tests.conformance.subjects import Fake

MINUTES, HOURS, DAYS = 60, 3_600, 86_400
BODY = {"QueueUrl": "<QUEUE>", "MessageBody": "x"}
RECEIVE = {"QueueUrl": "<QUEUE>", "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
ADD = {
    "TableName": "<TABLE>",
    "Key": KEY,
    "UpdateExpression": "ADD n :n",
    "ExpressionAttributeValues": {":n": {"N": "1"}},
}
READ = {"TableName": "<TABLE>", "Key": KEY, "ConsistentRead": True}


@pytest.fixture
def choices(fake):
    return fake.account.choices


def send(fake, **more):
    return fake.run("sqs", "SendMessage", {**BODY, **more})["MessageId"]


def receive(fake, queue="QUEUE", **more):
    return fake.run("sqs", "ReceiveMessage", {**RECEIVE, "QueueUrl": f"<{queue}>", **more}).get("Messages", [])


def bury(fake):
    """Send a message and let it go to the DLQ."""
    send(fake)
    for _ in range(3):
        receive(fake, VisibilityTimeout=0)


class TestTime:
    def test_a_delayed_message_comes_when_its_delay_is_over(self, fake):
        send(fake, DelaySeconds=900)
        fake.wait(899)
        assert receive(fake) == []
        fake.wait(1)
        assert len(receive(fake)) == 1

    def test_a_message_comes_back_when_its_visibility_is_over(self, fake):
        send(fake)
        receive(fake)
        fake.wait(299)
        assert receive(fake) == []
        fake.wait(1)
        assert receive(fake)[0]["Attributes"]["ApproximateReceiveCount"] == "2"

    def test_a_changed_visibility_counts_from_the_change(self, fake):
        send(fake)
        (message,) = receive(fake)
        fake.wait(100)
        change = {"QueueUrl": "<QUEUE>", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 60}
        fake.run("sqs", "ChangeMessageVisibility", change)
        fake.wait(59)
        assert receive(fake) == []
        fake.wait(1)
        assert len(receive(fake)) == 1

    def test_twelve_hours_count_from_the_receive(self, fake):
        send(fake)
        (message,) = receive(fake)
        change = {"QueueUrl": "<QUEUE>", "ReceiptHandle": message["ReceiptHandle"]}
        assert fake.run("sqs", "ChangeMessageVisibility", {**change, "VisibilityTimeout": 43_200}) == {}
        fake.wait(1)
        answer = fake.run("sqs", "ChangeMessageVisibility", {**change, "VisibilityTimeout": 43_200})
        assert answer["Error"] == "InvalidParameterValue"
        assert fake.run("sqs", "ChangeMessageVisibility", {**change, "VisibilityTimeout": 43_199}) == {}

    def test_a_dead_message_is_kept_from_its_first_send(self, fake):
        send(fake)
        fake.wait(3 * DAYS)
        for _ in range(3):
            receive(fake, VisibilityTimeout=0)
        fake.wait(1 * DAYS - 1)
        assert len(receive(fake, "DLQ", VisibilityTimeout=0)) == 1
        fake.wait(1)
        assert receive(fake, "DLQ") == []

    def test_a_dead_fifo_message_is_kept_from_its_death(self, fake):
        fifo = {"QueueUrl": "<FIFO>", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
        fake.run("sqs", "SendMessage", fifo)
        fake.wait(3 * DAYS)
        for _ in range(3):
            receive(fake, "FIFO", VisibilityTimeout=0)
        fake.wait(3 * DAYS)
        assert len(receive(fake, "FIFO-DLQ")) == 1

    def test_a_duplicate_is_swallowed_for_five_minutes(self, fake):
        fifo = {"QueueUrl": "<FIFO>", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
        fake.run("sqs", "SendMessage", fifo)
        fake.wait(5 * MINUTES - 1)
        fake.run("sqs", "SendMessage", fifo)
        assert len(receive(fake, "FIFO", VisibilityTimeout=0)) == 1
        fake.wait(1)
        fake.run("sqs", "SendMessage", fifo)
        assert len(receive(fake, "FIFO")) == 2

    def test_a_locked_group_opens_when_its_hidden_message_shows_itself(self, fake):
        queue = fake.account.queues["work.fifo"]
        assert queue.visible_at() is None
        for number in ("1", "2"):
            fifo = {"QueueUrl": "<FIFO>", "MessageBody": "x", "MessageGroupId": "g"}
            fake.run("sqs", "SendMessage", {**fifo, "MessageDeduplicationId": number})
        sent_ms = queue.visible_at()
        receive(fake, "FIFO", MaxNumberOfMessages=1, VisibilityTimeout=20)
        assert queue.visible_at() == sent_ms + 20_000
        fake.run("sqs", "SendMessage", {**fifo, "MessageGroupId": "h", "MessageDeduplicationId": "3"})
        assert queue.visible_at() == sent_ms

    def test_a_transactions_token_holds_for_ten_minutes(self, fake):
        request = {"ClientRequestToken": "token", "TransactItems": [{"Update": ADD}]}
        for seconds, count in ((0, "1"), (10 * MINUTES - 1, "1"), (1, "2")):
            fake.wait(seconds)
            fake.run("dynamodb", "TransactWriteItems", request)
            assert fake.run("dynamodb", "GetItem", READ)["Item"]["n"] == {"N": count}

    def test_items_expire_when_the_simulation_says_so(self, fake):
        table = fake.account.tables["jobs"]
        item = {**KEY, "ttl": {"N": "100"}, "due_pk": {"S": "0"}, "due_sk": {"S": "1"}}
        fake.run("dynamodb", "PutItem", {"TableName": "<TABLE>", "Item": item})
        assert (table.expire(100), len(table.items)) == (0, 1)
        assert (table.expire(101), len(table.items)) == (1, 0)
        assert table.indexes["due"].partition("0", fake.now_ms) == []

    @pytest.mark.parametrize(
        ("key", "tagging", "days"),
        [("p/a", "", 2), ("p/b", "days=1&x=y", 1), ("p/c", "days=9", 2), ("q/a", "days=1", 1)],
    )
    def test_the_first_lifecycle_rule_to_end_removes_at_the_midnight_after_its_days(self, key, tagging, days):
        clock = SimpleNamespace(ms=20_000 * DAYS * 1_000 + 1)
        rules = (LifecycleRule(2, "p/"), LifecycleRule(1, tag=("days", "1")), LifecycleRule(9, tag=("days", "9")))
        account = Account(buckets=(BucketDefinition("b", rules),), now_ms=lambda: clock.ms)
        account.call("s3", "PutObject", {"Bucket": "b", "Key": key, "Body": b"x", "Tagging": tagging})
        clock.ms = (20_001 + days) * DAYS * 1_000 - 1
        account.call("s3", "HeadObject", {"Bucket": "b", "Key": key})
        clock.ms += 1
        with pytest.raises(ClientError, match="404"):
            account.call("s3", "HeadObject", {"Bucket": "b", "Key": key})

    def test_a_copy_onto_itself_is_new_to_the_lifecycle_and_keeps_its_tags(self):
        clock = SimpleNamespace(ms=20_000 * DAYS * 1_000 + 1)
        rules = (LifecycleRule(2, tag=("days", "2")),)
        account = Account(buckets=(BucketDefinition("b", rules),), now_ms=lambda: clock.ms)
        account.call("s3", "PutObject", {"Bucket": "b", "Key": "a", "Body": b"x", "Tagging": "days=2"})
        clock.ms += 2 * DAYS * 1_000
        copied = {"Bucket": "b", "Key": "a", "CopySource": "b/a", "MetadataDirective": "REPLACE"}
        account.call("s3", "CopyObject", copied)
        clock.ms += 2 * DAYS * 1_000
        assert account.call("s3", "GetObject", {"Bucket": "b", "Key": "a"})["Body"].read() == b"x"
        clock.ms += 1 * DAYS * 1_000
        with pytest.raises(ClientError, match="NoSuchKey"):
            account.call("s3", "GetObject", {"Bucket": "b", "Key": "a"})


class TestMoves:
    def test_a_moved_message_is_a_new_one_with_the_same_content(self, fake):
        attributes = {"origin": {"DataType": "String", "StringValue": "erp"}}
        first = send(fake, MessageGroupId="acme", MessageAttributes=attributes)
        for _ in range(3):
            receive(fake, VisibilityTimeout=0)
        fake.wait(1 * HOURS)

        assert "TaskHandle" in fake.run("sqs", "StartMessageMoveTask", {"SourceArn": "<DLQ-ARN>"})

        (again,) = receive(fake, MessageAttributeNames=["All"])
        assert again["MessageId"] != first
        assert again["Attributes"]["SentTimestamp"] == str(fake.now_ms)
        assert again["Attributes"]["ApproximateReceiveCount"] == "1"
        assert again["Attributes"]["MessageGroupId"] == "acme"
        assert (again["Body"], again["MessageAttributes"]) == ("x", attributes)
        (task,) = fake.run("sqs", "ListMessageMoveTasks", {"SourceArn": "<DLQ-ARN>"})["Results"]
        assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)

    def test_a_message_in_flight_stays(self, fake):
        bury(fake)
        receive(fake, "DLQ")
        fake.run("sqs", "StartMessageMoveTask", {"SourceArn": "<DLQ-ARN>"})
        assert receive(fake) == []
        assert fake.account.queues["dead"].depths() == (0, 1, 0)

    def test_a_message_that_came_from_nowhere_fails_the_task(self, fake):
        fake.run("sqs", "SendMessage", {**BODY, "QueueUrl": "<DLQ>"})
        fake.run("sqs", "StartMessageMoveTask", {"SourceArn": "<DLQ-ARN>"})
        (task,) = fake.run("sqs", "ListMessageMoveTasks", {"SourceArn": "<DLQ-ARN>"})["Results"]
        assert task["Status"] == "FAILED"
        assert len(receive(fake, "DLQ")) == 1


class TestChoices:
    def test_one_entry_of_a_batch_of_sends_is_refused(self, fake, choices):
        choices.refuse_entry = lambda operation, index: "InternalError" if index == 1 else None
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(3)]
        answer = fake.run("sqs", "SendMessageBatch", {"QueueUrl": "<QUEUE>", "Entries": entries})
        assert [one["Id"] for one in answer["Successful"]] == ["0", "2"]
        assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("1", "InternalError")]
        assert [message["Body"] for message in receive(fake)] == ["0", "2"]

    def test_one_statement_of_a_batch_is_refused(self, fake, choices):
        choices.refuse_entry = lambda operation, index: "ThrottlingError" if index == 0 else None
        inserts = [
            {"Statement": "INSERT INTO \"<TABLE>\" VALUE {'pk': ?, 'sk': ?}", "Parameters": [{"S": pk}, {"S": "s"}]}
            for pk in "ab"
        ]
        answer = fake.run("dynamodb", "BatchExecuteStatement", {"Statements": inserts})
        assert answer["Responses"][0]["Error"]["Code"] == "ThrottlingError"
        assert list(fake.account.tables["jobs"].items) == [("b", "s")]

    def test_unprocessed_items_and_keys_come_back_as_they_were_sent(self, fake, choices):
        choices.refuse_entry = lambda operation, index: "any" if index == 1 else None
        items = [{**KEY, "sk": {"S": sk}} for sk in "ab"]
        puts = {"RequestItems": {"<TABLE>": [{"PutRequest": {"Item": item}} for item in items]}}
        answer = fake.run("dynamodb", "BatchWriteItem", puts)
        assert answer["UnprocessedItems"] == {"<TABLE>": [{"PutRequest": {"Item": items[1]}}]}
        gets = {"RequestItems": {"<TABLE>": {"Keys": items, "ConsistentRead": True}}}
        answer = fake.run("dynamodb", "BatchGetItem", gets)
        assert answer["Responses"] == {"<TABLE>": [items[0]]}
        assert answer["UnprocessedKeys"] == {"<TABLE>": {"Keys": [items[1]], "ConsistentRead": True}}

    def test_an_index_lags_behind_in_order(self, fake, choices):
        lags = iter([5_000, 0])
        choices.index_lag_ms = lambda index: next(lags)
        for at in "12":
            item = {**KEY, "due_pk": {"S": "0"}, "due_sk": {"S": at}}
            fake.run("dynamodb", "PutItem", {"TableName": "<TABLE>", "Item": item})
        due = fake.account.tables["jobs"].indexes["due"]
        assert due.partition("0", fake.now_ms + 4_999) == []
        ((_, entry),) = due.partition("0", fake.now_ms + 5_000)
        assert entry["due_sk"] == {"S": "2"}

    def test_only_a_read_that_is_not_consistent_may_be_stale(self, fake, choices):
        choices.stale_read = lambda key: True
        for _ in range(2):
            fake.run("dynamodb", "UpdateItem", ADD)
        stale = fake.run("dynamodb", "GetItem", {**READ, "ConsistentRead": False})["Item"]["n"]
        assert (stale, fake.run("dynamodb", "GetItem", READ)["Item"]["n"]) == ({"N": "1"}, {"N": "2"})

    def test_messages_come_in_the_order_that_was_chosen(self, fake, choices):
        for body in "abc":
            send(fake, MessageBody=body)
        choices.order = lambda messages: messages[:0:-1]
        assert [message["Body"] for message in receive(fake)] == ["c", "b"]

    @pytest.mark.parametrize(("works", "left"), [(True, 0), (False, 1)])
    def test_an_old_receipt_works_if_that_was_chosen(self, fake, choices, works, left):
        choices.old_receipt_works = lambda: works
        send(fake)
        (old,) = receive(fake, VisibilityTimeout=0)
        receive(fake)
        fake.run("sqs", "DeleteMessage", {"QueueUrl": "<QUEUE>", "ReceiptHandle": old["ReceiptHandle"]})
        assert len(fake.account.queues["work"].messages) == left

    def test_an_old_receipt_never_works_on_a_fifo_queue(self, fake, choices):
        choices.old_receipt_works = lambda: True
        fifo = {"QueueUrl": "<FIFO>", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
        fake.run("sqs", "SendMessage", fifo)
        (old,) = receive(fake, "FIFO", VisibilityTimeout=0)
        receive(fake, "FIFO")
        fake.run("sqs", "DeleteMessage", {"QueueUrl": "<FIFO>", "ReceiptHandle": old["ReceiptHandle"]})
        assert len(fake.account.queues["work.fifo"].messages) == 1


class TestCalls:
    def test_answers_and_arguments_are_not_the_fakes_own(self, fake):
        item = {**KEY, "m": {"M": {"a": {"N": "1"}}}}
        fake.run("dynamodb", "PutItem", {"TableName": "<TABLE>", "Item": item})
        item["m"]["M"]["a"]["N"] = "2"
        read = fake.account.call("dynamodb", "GetItem", {"TableName": "jobs", "Key": KEY})["Item"]
        read["m"]["M"]["a"]["N"] = "3"
        assert fake.run("dynamodb", "GetItem", READ)["Item"]["m"] == {"M": {"a": {"N": "1"}}}

    def test_two_runs_are_alike(self):
        def story(fake):
            bury(fake)
            return [fake.run("sqs", "StartMessageMoveTask", {"SourceArn": "<DLQ-ARN>"}), receive(fake)]

        assert story(Fake()) == story(Fake())

    def test_what_it_does_not_know_it_says(self, fake):
        with pytest.raises(NotImplementedError, match="dynamodb CreateTable"):
            fake.account.call("dynamodb", "CreateTable", {})

    def test_a_transaction_that_fails_changes_nothing_and_costs_twice(self, fake):
        meter = fake.account.meter
        put = {"TableName": "<TABLE>", "Item": {**KEY, "s": {"S": "x" * 1_500}}}
        fake.run("dynamodb", "PutItem", put)
        spent = meter.write_units
        other = {**KEY, "sk": {"S": "other"}}
        check = {"TableName": "<TABLE>", "Key": KEY, "ConditionExpression": "attribute_not_exists(pk)"}
        actions = [{"Put": {"TableName": "<TABLE>", "Item": other}}, {"ConditionCheck": check}]
        answer = fake.run("dynamodb", "TransactWriteItems", {"TransactItems": actions})
        assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
        assert list(fake.account.tables["jobs"].items) == [("p", "s")]
        assert meter.write_units - spent == 2 * 1 + 2 * 2

    def test_watchers_see_every_change(self, fake):
        seen = []
        fake.account.tables["jobs"].watchers.append(lambda table, key, before, after: seen.append((key, before, after)))
        fake.run("dynamodb", "UpdateItem", ADD)
        fake.run("dynamodb", "DeleteItem", {"TableName": "<TABLE>", "Key": KEY})
        item = {**KEY, "n": {"N": "1"}}
        assert seen == [(("p", "s"), None, item), (("p", "s"), item, None)]

    def test_120_000_messages_in_flight_are_too_many(self):
        account = Account(queues=(QueueDefinition("q"),))
        queue = account.queues["q"]
        for number in range(120_001):
            queue.put(str(number)).receives = number and 1
        for message in list(queue.messages.values())[1:]:
            message.visible_ms += 1_000_000
        with pytest.raises(ClientError, match="OverLimit"):
            account.call("sqs", "ReceiveMessage", {"QueueUrl": queue.url})

    def test_the_reserved_words_are_those_that_moto_knows(self):
        from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

        assert reserved_words() == set(ReservedKeywords.get_reserved_keywords())


@pytest.mark.parametrize("edge", [*DYNAMODB, *SQS], ids=lambda edge: edge.name)
def test_a_socket_makes_no_difference(edge, socket):
    """What botocore parses from the wire is what `Account.call` answers: errors, their members and all."""
    wired, direct = socket(), Fake()

    assert edge.outcome(wired) == edge.outcome(direct)
    assert wired.answers == direct.answers


class Wired(Fake):
    """The fake behind botocore's clients, down to the bytes."""

    def __init__(self, clients):
        super().__init__()
        self._clients = clients

    def _call(self, service, operation, arguments):
        return self._clients[service]._make_api_call(operation, arguments)


@pytest.fixture(scope="module")
def socket():
    """Makes fakes that are called through clients which live as long as this file: to make one takes longest."""
    session, config, fakes = Session(), Config(retries={"total_max_attempts": 1}), []
    clients = {service: session.create_client(service, "us-east-1", config=config) for service in ("dynamodb", "sqs")}

    def make():
        fakes.append(Wired(clients))
        return fakes[-1]

    def perform(*request):
        return fakes[-1].account.perform(*request)

    def new_id():
        return fakes[-1].account.new_id()

    with Wire(answer_over(perform, new_id)).connected():
        yield make


class TestShapes:
    def test_a_legal_request_passes(self):
        check_shape("dynamodb", "GetItem", {"TableName": "jobs", "Key": KEY})
        check_shape("sqs", "SendMessage", {"QueueUrl": "u", "MessageBody": "x"})
        check_shape("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": b"x"})

    @pytest.mark.parametrize(
        "arguments",
        [
            {"TableName": "jobs"},
            {"TableName": "jobs", "Key": {"pk": {"S": 1}}},
            {"TableName": "jobs", "Key": KEY, "Colour": "red"},
        ],
        ids=["a missing argument", "another type", "an unknown argument"],
    )
    def test_an_illegal_request_is_refused(self, arguments):
        with pytest.raises(ParamValidationError):
            check_shape("dynamodb", "GetItem", arguments)
