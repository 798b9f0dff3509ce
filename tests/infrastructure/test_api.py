"""The HTTP API: no open route but those of tokens, bounded, logged without bodies. And the janitor's schedule."""

import json

from tests.infrastructure.stacks import Synthesised
from tidemill.domain import limits

ROUTES = {
    "POST /jobs",
    "POST /jobs/batch",
    "GET /jobs",
    "GET /jobs/{id}",
    "DELETE /jobs",
    "DELETE /jobs/{id}",
    "POST /jobs/{id}/move",
    "POST /jobs/{id}/answers/{name}",
    "POST /batches",
    "GET /batches/{id}",
    "DELETE /batches/{id}",
    "POST /jobs/{id}/redrive",
    "GET /dlq",
    "GET /dlq/groups",
    "GET /dlq/audit",
    "GET /dlq/{id}",
    "POST /dlq/redrive",
    "POST /dlq/purge",
    "GET /schedules",
    "POST /schedules",
    "GET /schedules/{name}",
    "PATCH /schedules/{name}",
    "DELETE /schedules/{name}",
    "GET /schedules/{name}/next",
    "GET /schedules/{name}/versions",
    "POST /schedules/{name}/pause",
    "POST /schedules/{name}/resume",
    "POST /schedules/{name}/revert",
    "POST /schedules/{name}/trigger",
    "POST /schedules/{name}/backfill",
    "GET /openapi.json",
}


OPEN = {"GET /answers/{token}", "POST /answers/{token}"}


def routes(stack: Synthesised) -> dict[str, dict]:
    return {
        route["Properties"]["RouteKey"]: route["Properties"]
        for route in stack.of_type("AWS::ApiGatewayV2::Route").values()
    }


def test_routes_are_explicit_and_signed(production: Synthesised):
    found = routes(production)

    assert set(found) == ROUTES | OPEN
    assert {found[name]["AuthorizationType"] for name in ROUTES} == {"AWS_IAM"}


def test_only_answers_with_a_token_are_open_and_they_are_throttled_apart(
    production: Synthesised, chosen_otherwise: Synthesised
):
    for stack in (production, chosen_otherwise):
        found = routes(stack)
        assert {name for name, route in found.items() if route["AuthorizationType"] == "NONE"} == OPEN
        (stage,) = stack.of_type("AWS::ApiGatewayV2::Stage").values()
        slow = {"ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10}
        assert stage["Properties"]["RouteSettings"] == dict.fromkeys(OPEN, slow)


def test_token_instead_of_signature(chosen_otherwise: Synthesised):
    found = routes(chosen_otherwise)
    assert {found[name]["AuthorizationType"] for name in ROUTES} == {"JWT"}
    (authorizer,) = chosen_otherwise.of_type("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["Properties"]["JwtConfiguration"] == {
        "Issuer": "https://issuer.example",
        "Audience": ["tidemill"],
    }


def test_stage_is_throttled_and_logs_no_content(production: Synthesised):
    (stage,) = production.of_type("AWS::ApiGatewayV2::Stage").values()

    assert stage["Properties"]["StageName"] == "$default"
    assert stage["Properties"]["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 200, "ThrottlingRateLimit": 100}
    logged = json.loads(stage["Properties"]["AccessLogSettings"]["Format"])
    assert logged["request_id"] == "$context.requestId"
    assert not any(
        "body" in value or "header" in value or "querystring" in value or "path" in value for value in logged.values()
    )


def test_only_this_api_may_call_the_function(production: Synthesised):
    sources = [
        permission["Properties"]
        for permission in production.of_type("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    ]
    assert len(sources) == len(ROUTES | OPEN)
    assert all("SourceArn" in permission for permission in sources)


def test_janitor_ticks_every_sweep_period_and_keeps_what_fails(production: Synthesised):
    rule = production.properties("JanitorTick")
    (target,) = rule["Targets"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert limits.SWEEP_PERIOD.total_seconds() == 60
    assert target["Arn"] == {"Fn::GetAtt": ["Janitor", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["JanitorFailedTicks", "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1}
    (retries,) = production.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert retries["Properties"]["DestinationConfig"] == {
        "OnFailure": {"Destination": {"Fn::GetAtt": ["JanitorFailedTicks", "Arn"]}}
    }
