"""From a stack's name to a client for it: the front door for programs and for the command line.

    client = connect("tidemill", registry=registry)
    client.submit(MakeThumbnail(bucket="b", key="k", width=320))

Nothing of AWS is imported before a call, so that `import tidemill` stays light.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.domain.errors import InputError, SettingsError, TidemillError
from tidemill.settings import PREFIX, RuntimeSettings

if TYPE_CHECKING:
    from tidemill.aws.clients import Clients
    from tidemill.domain.registry import JobRegistry
    from tidemill.entrypoints.bootstrap import Program
    from tidemill.service.client import JobClient

DEFAULT_STACK: Final = "tidemill"
# API Reference, CreateStack: StackName.
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")

_CREDENTIALS: Final = (
    r"NoCredentialsError|PartialCredentialsError|CredentialRetrievalError|ProfileNotFound|TokenRetrievalError"
    r"|SSO.*Error|UnauthorizedSSOTokenError|InvalidClientTokenId|UnrecognizedClientException|AuthFailure"
    r"|SignatureDoesNotMatch|InvalidSignatureException|ExpiredToken(Exception)?"
)
# What a person can do about AWS's codes and botocore's exceptions, by their names. Each stays until it is done.
_FIXES: Final = (
    (
        _CREDENTIALS,
        'set AWS_PROFILE, log in (`aws sso login`), or take the local cloud\'s: `eval "$(tidemill local env)"`',
    ),
    (r"NoRegionError|InvalidRegionError", "give --region, or set AWS_REGION or the profile's region"),
    (
        r"EndpointConnectionError|ConnectTimeoutError|SSLError|ProxyConnectionError",
        "check AWS_ENDPOINT_URL, the region and the network; `tidemill local status` says whether the local cloud runs",
    ),
    (r"AccessDenied(Exception)?|UnauthorizedOperation", "let this role or user do that, or use another profile"),
)
_LASTING: Final = "check that the stack is whole (`cdk deploy`), and that you work in its account and region"


class ConnectError(TidemillError):
    """AWS can't be reached or refuses us: credentials, region, permissions, network."""

    code = "cannot_connect"


class StackNotFoundError(TidemillError):
    """There is no such stack in this account and region."""

    code = "stack_not_found"

    def __init__(self, stack: str, region: str) -> None:
        super().__init__(
            f"there is no stack {stack!r} in region {region} of this account. Fix: check the name, the region and "
            "the profile, or deploy it (`cdk deploy`; on this machine `tidemill local up`)"
        )
        self.stack = stack
        self.region = region


class StackOutputsError(TidemillError):
    """The stack is there, but its outputs do not say how to use it."""

    code = "no_tidemill_stack"

    def __init__(self, stack: str, problem: str, fix: str) -> None:
        super().__init__(f"stack {stack!r} {problem}. Fix: {fix}")
        self.stack = stack


@dataclass(frozen=True, slots=True)
class StackInfo:
    """What a deployed stack says about itself: the env contract, and where its HTTP API is."""

    settings: RuntimeSettings
    api_url: str


def connect(
    stack: str | None = None,
    *,
    registry: JobRegistry,
    region: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> JobClient:
    """A client for one deployed stack.

    Where the env contract is set (in a Lambda function of the stack) and no other stack is named, it
    comes from there. Otherwise the stack's CloudFormation outputs are read, once.

    Arguments:
        stack: the stack's name; `tidemill` if left out.
        registry: the jobs that may be submitted.
        region: by default that of `AWS_REGION` or of the AWS profile.
        environ: the variables to read; by default the process's.

    Raises:
        StackNotFoundError: there is no such stack.
        StackOutputsError: it is not a Tidemill stack.
        ConnectError: no credentials, no region, no permission, or nothing answers.
        UnavailableError: AWS throttled or failed; the call may be repeated.
    """
    from tidemill.aws.clients import Clients  # botocore costs 0.2 s, and many who import this never connect
    from tidemill.entrypoints.bootstrap import Program

    environ = os.environ if environ is None else environ
    if stack in (None, environ.get(f"{PREFIX}STACK")) and f"{PREFIX}TABLE" in environ:
        return Program.from_env(registry, environ).client
    with understood():
        clients = Clients(region or environ.get("AWS_REGION"))
    return program_of(find_stack(stack or DEFAULT_STACK, clients), registry, clients).client


def find_stack(stack: str, clients: Clients) -> StackInfo:
    """Read the outputs of the stack of this name.

    Raises:
        InputError: the name can't be a stack's.
        StackNotFoundError, StackOutputsError, ConnectError, UnavailableError: see `connect`.
    """
    from botocore.exceptions import ClientError

    if not _STACK_NAME.fullmatch(stack):
        raise InputError.at("stack", "must be a letter, then letters, digits and -, at most 128 in all", "format")
    with understood():
        cloudformation = clients.cloudformation
        try:
            description = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                raise StackNotFoundError(stack, cloudformation.meta.region_name) from None
            raise
    outputs = {found["OutputKey"]: found["OutputValue"] for found in description.get("Outputs", ())}
    return _info(stack, description["StackStatus"], outputs)


def program_of(info: StackInfo, registry: JobRegistry, clients: Clients) -> Program:
    """Everything that a process outside of Lambda needs to work with a stack."""
    from random import SystemRandom

    from tidemill.entrypoints.bootstrap import Program, SystemClock

    return Program(registry, info.settings, clients, SystemClock(), SystemRandom())


@contextmanager
def understood() -> Iterator[None]:
    """Turn what botocore raises inside into an error of ours that says what to do.

    Raises:
        ConnectError: it won't pass by itself.
        UnavailableError: it may pass.
    """
    from tidemill.aws.errors import AwsError

    try:
        yield
    except AwsError as error:
        raise explained(error) from error


def explained(error: Exception) -> TidemillError:
    """What botocore raised, as a ConnectError with its fix or, where it may pass by itself, an UnavailableError."""
    from tidemill.aws.errors import code_of, is_passing, unavailable

    code = code_of(error)
    fix = next((fix for codes, fix in _FIXES if re.fullmatch(codes, code)), None)
    if fix is None and is_passing(error):
        return unavailable("AWS", error)
    return ConnectError(f"{str(error).rstrip('.')}. Fix: {fix or _LASTING}")


def _info(stack: str, status: str, outputs: Mapping[str, str]) -> StackInfo:
    missing = [name for name in ("Settings", "ApiUrl") if name not in outputs]
    if missing:
        raise StackOutputsError(
            stack,
            f"({status}) has no output {' and no output '.join(missing)}, so it is no Tidemill stack or never came up",
            "name the stack that holds TidemillPipeline, or deploy it again",
        )
    try:
        return StackInfo(RuntimeSettings.from_env(json.loads(outputs["Settings"])), outputs["ApiUrl"].rstrip("/"))
    except (ValueError, TypeError, SettingsError) as error:
        raise StackOutputsError(
            stack, f"has an unreadable output Settings ({error})", "deploy it with the version that reads it"
        ) from None
