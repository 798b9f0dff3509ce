"""The HTTP API: a few routes, authorised but for answers with a token, none of whose bodies is logged."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_logs as logs
from constructs import Construct

from tidemill_cdk.function import RETENTIONS, FunctionShape, PythonFunction
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.naming import keep_name
from tidemill_cdk.permissions import DLQ_DESK, JOBS_TABLE, QUEUE_SEND, TABLE_ANSWER, TABLE_QUERY, allow
from tidemill_cdk.queue import LaneQueue
from tidemill_cdk.routes import ROUTES
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import ATTENTION_INDEX, LIST_INDEX, removal_policy
from tidemill_cdk.waivers import ANSWER_TOKENS, NEVER_ASYNC, waive
from tidemill_cdk.worker import Stores

# API Gateway waits 30 s for an HTTP API's integration; a second less, and the caller gets our answer,
# not the gateway's. A bulk submit of 10,000 jobs must be done by then.
API_TIMEOUT: Final = timedelta(seconds=29)
# At 1,024 MB a function has 0.58 of a processor: 10,000 jobs at half a millisecond of CPU each take 9 s.
API_MEMORY_MB: Final = 1024
SAGA_ROUTES: Final = (
    ("GET", "/sagas/{name}"),
    ("POST", "/sagas/{name}"),
    ("GET", "/sagas/{name}/{id}"),
    ("DELETE", "/sagas/{name}/{id}"),
    ("GET", "/sagas/{name}/{id}/history"),
    ("POST", "/sagas/{name}/{id}/resume"),
)
# Of people without credentials, who have a token that a job made for them: what it says is checked by the function,
# before it reads anything of any job. The only open routes, with a rate of their own.
OPEN_ROUTES: Final = (("GET", "/answers/{token}"), ("POST", "/answers/{token}"))
# People answer one question at a time; whoever tries tokens gets no further than this, and nobody else is slowed by it.
OPEN_RATE: Final = 10
OPEN_BURST: Final = 20
# Who called what, when, and how it ended. No header, query or body: those may hold what a job is about.
ACCESS_LOG: Final = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "source_ip": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
}


class JobsApi(Construct):
    """Submit, read, list and cancel jobs, and look after the dead ones, over HTTPS.

    Guarantees that no route is open but those of `OPEN_ROUTES`: callers sign with AWS credentials, or present a token
    where the settings name an issuer.

    It has its address before it has a function, so that every function's environment can hold it.
    """

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        self.http = apigw.HttpApi(
            self,
            "Http",
            api_name=Stack.of(self).stack_name,
            create_default_stage=False,
            default_authorizer=self._authorizer(),
        )
        keep_name(self.http, "HttpApi")

    def answer_with(self, code: FunctionCode, environment: Mapping[str, str]) -> None:
        """Make the function that answers, and the routes to it."""
        shape = FunctionShape(
            handler="api",
            timeout=API_TIMEOUT,
            memory_mb=API_MEMORY_MB,
            description="Submits, reads, lists and cancels jobs over HTTP",
            environment=environment,
        )
        self.endpoint = PythonFunction(self, "Function", name="Api", code=code, shape=shape, settings=self._settings)
        waive(self.endpoint.function, NEVER_ASYNC, "Serverless::Serverless-LambdaDLQ")
        self._integration = integrations.HttpLambdaIntegration("Integration", self.endpoint.function)
        self._add_routes(ROUTES)
        self._add_open_routes()
        self._add_stage()

    @property
    def public_url(self) -> str:
        """What the links of jobs begin with: the settings' address, else API Gateway's, as whoever runs it says it.

        A local cloud says one that leads to this machine.
        """
        return self._settings.api_url or self.http.api_endpoint

    @property
    def url(self) -> str:
        """Where the API answers, without a slash at the end."""
        return f"https://{self.http.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"

    def serve(self, queues: Collection[LaneQueue], stores: Stores) -> None:
        """Let the function send to every lane, use the tables, and store large arguments."""
        jobs, role = stores.jobs, self.endpoint.role
        allow(role, QUEUE_SEND, *(lane.queue.queue_arn for lane in queues))
        allow(role, DLQ_DESK, *(lane.dlq.queue_arn for lane in queues))
        stores.payloads.grant_read(role)
        stores.payloads.grant_submitting(role)
        allow(role, JOBS_TABLE, jobs.table.table_arn)
        allow(role, TABLE_ANSWER, jobs.table.table_arn)
        allow(role, TABLE_QUERY, jobs.table.table_arn, jobs.index_arn(LIST_INDEX), jobs.index_arn(ATTENTION_INDEX))

    def _authorizer(self) -> apigw.IHttpRouteAuthorizer:
        jwt = self._settings.jwt
        if jwt is None:
            return authorizers.HttpIamAuthorizer()
        return authorizers.HttpJwtAuthorizer("Jwt", jwt.issuer, jwt_audience=list(jwt.audience))

    def serve_sagas(self) -> None:
        """Add the routes of sagas."""
        self._add_routes(SAGA_ROUTES)

    def _add_routes(self, routes: Iterable[tuple[str, str]]) -> None:
        for method, path in routes:
            self.http.add_routes(path=path, methods=[apigw.HttpMethod[method]], integration=self._integration)

    def _add_open_routes(self) -> None:
        for method, path in OPEN_ROUTES:
            added = self.http.add_routes(
                path=path,
                methods=[apigw.HttpMethod[method]],
                integration=self._integration,
                authorizer=apigw.HttpNoneAuthorizer(),
            )
            for route in added:
                waive(route, ANSWER_TOKENS, "AwsSolutions::AwsSolutions-APIG4")

    def _add_stage(self) -> None:
        log_group = logs.LogGroup(
            self,
            "AccessLogs",
            retention=RETENTIONS[self._settings.log_retention.days],
            removal_policy=removal_policy(self._settings),
        )
        apigw.CfnStage(
            self,
            "Stage",
            api_id=self.http.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigw.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=self._settings.api_rate, throttling_burst_limit=self._settings.api_burst
            ),
            route_settings={
                # Of free form to CloudFormation, so that nothing writes the names for us.
                f"{method} {path}": {"ThrottlingRateLimit": OPEN_RATE, "ThrottlingBurstLimit": OPEN_BURST}
                for method, path in OPEN_ROUTES
            },
            access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=json.dumps(ACCESS_LOG)
            ),
        )
