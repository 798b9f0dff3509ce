"""Least privilege: the whole matrix of who may do what to what, written out."""

import pytest

from tests.infrastructure.stacks import Synthesised
from tidemill_cdk.template import statements, texts

JOBS = "<JobsTable.Arn>"
LIST, ATTENTION, DUE = f"{JOBS}/index/list", f"{JOBS}/index/attention", f"{JOBS}/index/due"
IDEMPOTENCY = "<IdempotencyRecords.Arn>"
QUEUES = ("<QueueCritical.Arn>", "<QueueBulk.Arn>", "<QueueMediaGpu.Arn>", "<QueueOrders.Arn>")
DLQS = ("<DlqCritical.Arn>", "<DlqBulk.Arn>", "<DlqMediaGpu.Arn>", "<DlqOrders.Arn>")
RECORD = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
]
REMEMBER = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
PAYLOADS = "<Payloads.Arn>/"
XRAY = {("xray:PutTelemetryRecords", "*"), ("xray:PutTraceSegments", "*")}


def every(actions, *resources):
    return {(action, resource) for action in actions for resource in resources}


def worker(name):
    return (
        every(
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            f"<Queue{name}.Arn>",
        )
        | every(["sqs:SendMessage"], *QUEUES)
        | every(RECORD, JOBS)
        | every(REMEMBER, IDEMPOTENCY)
        | every(["s3:GetObject", "s3:PutObject"], f"{PAYLOADS}*")
        | {("s3:PutObjectTagging", f"{PAYLOADS}*/result/*"), ("s3:DeleteObject", f"{PAYLOADS}*/args/*")}
        | XRAY
    )


MATRIX = {
    "WorkerCritical": worker("Critical"),
    "WorkerMediaGpu": worker("MediaGpu"),
    "WorkerOrders": worker("Orders"),
    "WorkerBulk": worker("Bulk") | every(["s3:GetObject", "s3:PutObject"], "<Media.Arn>/*"),
    "Api": every(["sqs:SendMessage"], *QUEUES)
    | every(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"], *DLQS)
    | every([*RECORD, "dynamodb:ConditionCheckItem"], JOBS)
    | every(["dynamodb:Query"], JOBS, LIST, ATTENTION)
    | {("s3:GetObject", f"{PAYLOADS}*"), ("s3:PutObject", f"{PAYLOADS}*/args/*")}
    | XRAY,
    "Janitor": every(["sqs:SendMessage"], *QUEUES, "<JanitorFailedTicks.Arn>")
    | every(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], *DLQS)
    | every(RECORD, JOBS)
    | every(["dynamodb:Query"], DUE)
    | {("s3:GetObject", f"{PAYLOADS}*"), ("s3:PutObject", f"{PAYLOADS}*/args/*")}
    | XRAY,
}


def allowed(stack: Synthesised, function: str) -> set[tuple[str, str]]:
    """Every action on every resource that the function's role allows, its own logs left out."""
    role = stack.properties(function)["Role"]["Fn::GetAtt"][0]
    policies = {
        id_
        for id_, policy in stack.of_type("AWS::IAM::Policy").items()
        if {"Ref": role} in policy["Properties"]["Roles"]
    }
    log_group = stack.properties(function)["LoggingConfig"]["LogGroup"]["Ref"]
    logs = every(["logs:CreateLogStream", "logs:PutLogEvents"], f"<{log_group}.Arn>")
    pairs = {
        (action, resource)
        for id_, statement in statements(stack.resources)
        if id_ in policies
        for action in texts(statement["Action"])
        for resource in texts(statement["Resource"])
    }
    assert logs <= pairs
    return pairs - logs


@pytest.mark.parametrize("function", MATRIX)
def test_role_allows_exactly_this(production: Synthesised, function):
    assert allowed(production, function) == MATRIX[function]


def test_every_function_is_in_the_matrix(production: Synthesised):
    assert set(production.of_type("AWS::Lambda::Function")) == set(MATRIX)


def test_no_role_is_shared_or_managed(production: Synthesised):
    roles = [
        function["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in production.of_type("AWS::Lambda::Function").values()
    ]
    assert len(set(roles)) == len(roles)
    for role in production.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_without_tracing_nothing_but_payloads_has_a_wildcard(chosen_otherwise: Synthesised):
    ours = [id_ for id_ in chosen_otherwise.of_type("AWS::IAM::Policy") if id_.startswith("Pipeline")]
    found = [
        (id_, text)
        for id_, statement in statements(chosen_otherwise.resources)
        if id_ in ours
        for text in texts(statement["Action"]) + texts(statement["Resource"])
        if "*" in text and not text.startswith(PAYLOADS)
    ]
    assert ours
    assert found == []


def test_nobody_may_list_payloads_or_touch_the_bucket_itself(production: Synthesised):
    found = {pair for function in MATRIX for pair in allowed(production, function) if "<Payloads.Arn>" in pair[1]}
    assert found
    assert {resource for _, resource in found if not resource.startswith(PAYLOADS)} == set()


def test_workers_may_answer_jobs_where_some_kind_waits_for_answers(chosen_otherwise: Synthesised, production):
    """A job of any lane may be the one who answers."""
    right = ("dynamodb:ConditionCheckItem", JOBS)
    workers = [function for function in MATRIX if function.startswith("Worker")]

    assert all(right in allowed(chosen_otherwise, function) for function in [*workers, "Api"])
    assert not any(right in allowed(production, function) for function in workers)
    assert right not in allowed(chosen_otherwise, "Janitor")


def test_no_function_may_delete_a_job_or_scan(production: Synthesised):
    jobs = {action for function in MATRIX for action, resource in allowed(production, function) if resource == JOBS}
    assert not jobs & {"dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:PartiQLDelete", "dynamodb:PartiQLSelect"}
