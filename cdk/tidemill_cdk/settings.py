"""What one deployment chooses. Everything else is derived from the registry."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from tidemill.domain.duration import days, hours
from tidemill.domain.errors import DefinitionError

# The managed runtimes that Tidemill's code runs on. Python 3.12 and later are Amazon Linux 2023.
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
# API Reference, PutRetentionPolicy: the values of retentionInDays up to 400 days.
LOG_RETENTION_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400)

_API_URL: Final = re.compile(r"https://[^/?#\s]+")


class Architecture(StrEnum):
    """The processor of the functions."""

    ARM64 = "arm64"
    X86_64 = "x86_64"

    @classmethod
    def of_host(cls) -> Architecture:
        """The processor of the machine this runs on."""
        return cls.ARM64 if platform.machine().lower() in {"arm64", "aarch64"} else cls.X86_64


class DeployError(DefinitionError):
    """A deployment's choice is impossible. Raised while its stack is built; the message has the fix."""

    code = "deploy"


@dataclass(frozen=True, slots=True)
class JwtAuthorization:
    """Callers of the HTTP API present a token instead of an AWS signature.

    Arguments:
        issuer: the URL that the token's `iss` claim must equal; its discovery document names the keys.
        audience: accepted values of the token's `aud` or `client_id` claim.
        tenant_claim: the claim that holds the caller's tenant.
    """

    issuer: str
    audience: tuple[str, ...]
    tenant_claim: str = "tenant"

    def __post_init__(self) -> None:
        if not self.issuer.startswith("https://") or not self.audience:
            raise DeployError("JWT authorization needs an https issuer and an audience. Fix: give both")


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """The choices of one deployment; the defaults are those of production.

    Arguments:
        retain_data: keep tables and buckets when the stack is deleted, and refuse their deletion.
        architecture: processor of the functions. arm64 costs a fifth less per second.
        python: version of the Lambda runtime.
        for_host: build layers for this machine's processor and Python instead, for a local cloud.
        list_index: write new jobs to the list index, so that the API can list by state and kind; one
            write unit a job.
        archive: how long the bus keeps facts for replays, in whole days; 0 for no archive. It costs nothing where
            nothing is published.
        tracing: X-Ray active tracing of the functions.
        log_retention: of every log group, in whole days that CloudWatch Logs knows.
        alarm_topic_arn: SNS topic that alarms notify; empty for alarms that only show.
        jwt: tokens instead of AWS signatures on the HTTP API.
        api_url: an address of your own that you have mapped to the HTTP API, `https://jobs.example.org`: what links
            begin with that jobs make. By default API Gateway's.
        api_rate, api_burst: requests per second, and at once, that the API takes before it answers 429.
        max_queue_age: the oldest message of a lane may wait this long before its alarm.
        requirements: the jobs' own dependencies; by default `requirements.txt` in the code folder.
        dependencies: a finished dependency folder (with `python/` in it) instead of building one.
        cache: where layers are built, kept between runs.
    """

    retain_data: bool = True
    architecture: Architecture = Architecture.ARM64
    python: str = "3.13"
    for_host: bool = False
    list_index: bool = True
    archive: timedelta = days(30)
    tracing: bool = True
    log_retention: timedelta = days(30)
    alarm_topic_arn: str = ""
    jwt: JwtAuthorization | None = None
    api_url: str = ""
    # A bound on what a leaked credential or a loop can cost, not a target: 100 bulk calls a second
    # submit a million jobs a second.
    api_rate: int = 100
    api_burst: int = 200
    max_queue_age: timedelta = hours(1)
    requirements: Path | None = None
    dependencies: Path | None = None
    cache: Path = Path(".tidemill/build")

    def __post_init__(self) -> None:
        if self.python not in PYTHONS:
            raise DeployError(f"python is {self.python!r}. Fix: choose one of {', '.join(PYTHONS)}")
        if self.log_retention not in [timedelta(days=count) for count in LOG_RETENTION_DAYS]:
            raise DeployError(f"log_retention is {self.log_retention}. Fix: choose one of {LOG_RETENTION_DAYS} days")
        if self.api_url and not _API_URL.fullmatch(self.api_url):
            raise DeployError(
                f"api_url is {self.api_url!r}. Fix: an https address without a path, nor a slash at the end"
            )
        if self.archive < timedelta() or self.archive % days(1):
            raise DeployError(f"archive is {self.archive}. Fix: whole days, or 0 for no archive")
        if self.api_rate < 1 or self.api_burst < 1:
            raise DeployError("api_rate and api_burst must be at least 1. Fix: give positive numbers")

    @classmethod
    def for_local(cls, **choices: Any) -> Self:
        """The choices for a local cloud: built for this machine, and nothing outlives the stack."""
        local = {
            "architecture": Architecture.of_host(),
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "for_host": True,
            "retain_data": False,
            # CloudFormation of the local cloud knows no archives; its EventBridge does.
            "archive": timedelta(),
        }
        return cls(**{**local, **choices})

    @classmethod
    def from_context(cls, context: Callable[[str], Any]) -> Self:
        """Read the choices from CDK context (`-c NAME=VALUE`, or `cdk.json`); pass `app.node.try_get_context`.

        Names: `local`, `retain_data`, `architecture`, `python`, `list_index`, `tracing`,
        `archive_days`, `alarm_topic_arn`, `api_url`, `jwt_issuer`, `jwt_audience` (joined by commas),
        `jwt_tenant_claim`.

        Raises:
            DeployError: a value is not one of those allowed.
        """
        choices: dict[str, Any] = {}
        for name in ("retain_data", "list_index", "tracing"):
            if (value := context(name)) is not None:
                choices[name] = _switch(name, value)
        for name in ("python", "alarm_topic_arn", "api_url"):
            if (value := context(name)) is not None:
                choices[name] = str(value)
        if (value := context("archive_days")) is not None:
            choices["archive"] = _whole_days("archive_days", value)
        if (value := context("architecture")) is not None:
            choices["architecture"] = _architecture(str(value))
        if issuer := context("jwt_issuer"):
            audience = tuple(part.strip() for part in str(context("jwt_audience") or "").split(",") if part.strip())
            choices["jwt"] = JwtAuthorization(str(issuer), audience, str(context("jwt_tenant_claim") or "tenant"))
        return cls.for_local(**choices) if _switch("local", context("local") or False) else cls(**choices)


def _switch(name: str, value: object) -> bool:
    word = str(value).lower()
    if word not in {"true", "false", "on", "off"}:
        raise DeployError(f"context {name} is {value!r}. Fix: -c {name}=on or -c {name}=off")
    return word in {"true", "on"}


def _whole_days(name: str, value: object) -> timedelta:
    if not re.fullmatch(r"[0-9]{1,5}", str(value)):
        raise DeployError(f"context {name} is {value!r}. Fix: -c {name}=30")
    return timedelta(days=int(str(value)))


def _architecture(value: str) -> Architecture:
    if value == "host":
        return Architecture.of_host()
    if value not in list(Architecture):
        raise DeployError(f"context architecture is {value!r}. Fix: -c architecture=arm64, x86_64 or host")
    return Architecture(value)
