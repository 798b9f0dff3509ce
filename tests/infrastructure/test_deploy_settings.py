"""A deployment's choices: defaults of production, context, and what is refused with a fix."""

import sys
from datetime import timedelta

import pytest

from tests.infrastructure.stacks import synthesise
from tidemill_cdk.settings import Architecture, DeployError, DeploySettings, JwtAuthorization


def from_context(**context):
    return DeploySettings.from_context(context.get)


def test_defaults_are_those_of_production():
    assert from_context() == DeploySettings()
    assert DeploySettings().retain_data
    assert (DeploySettings().architecture, DeploySettings().python) == (Architecture.ARM64, "3.13")


def test_local_is_built_for_this_machine():
    settings = from_context(local="true")

    assert settings.for_host
    assert not settings.retain_data
    assert not settings.archive
    assert settings.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert settings.architecture == Architecture.of_host()


def test_context_names_every_choice():
    settings = from_context(
        retain_data="off",
        list_index=False,
        tracing="false",
        python="3.12",
        archive_days="400",
        architecture="x86_64",
        alarm_topic_arn="arn:aws:sns:eu-central-1:111122223333:alarms",
        api_url="https://jobs.example.org",
        jwt_issuer="https://issuer.example",
        jwt_audience="one, two",
        jwt_tenant_claim="org",
    )
    assert settings == DeploySettings(
        retain_data=False,
        list_index=False,
        tracing=False,
        python="3.12",
        archive=timedelta(days=400),
        architecture=Architecture.X86_64,
        alarm_topic_arn="arn:aws:sns:eu-central-1:111122223333:alarms",
        api_url="https://jobs.example.org",
        jwt=JwtAuthorization("https://issuer.example", ("one", "two"), "org"),
    )


@pytest.mark.parametrize(
    "context",
    [
        {"local": "yes"},
        {"python": "2.7"},
        {"api_url": "http://jobs.example.org"},
        {"api_url": "https://jobs.example.org/"},
        {"api_url": "https://"},
        {"architecture": "mips"},
        {"list_index": "1"},
        {"archive_days": "a month"},
        {"archive_days": "-1"},
        {"jwt_issuer": "http://issuer.example", "jwt_audience": "one"},
        {"jwt_issuer": "https://issuer.example"},
    ],
)
def test_impossible_choices_are_refused_with_the_fix(context):
    with pytest.raises(DeployError, match="Fix: "):
        from_context(**context)


@pytest.mark.parametrize(
    "choice",
    [
        {"log_retention": timedelta(days=31)},
        {"archive": timedelta(hours=1)},
        {"archive": -timedelta(days=1)},
        {"api_rate": 0},
        {"api_burst": -1},
    ],
)
def test_impossible_numbers_are_refused(choice):
    with pytest.raises(DeployError, match="Fix: "):
        DeploySettings(**choice)


def test_every_log_retention_has_a_name_in_the_cdk():
    from tidemill_cdk.function import RETENTIONS
    from tidemill_cdk.settings import LOG_RETENTION_DAYS

    assert set(RETENTIONS) == set(LOG_RETENTION_DAYS)


def test_a_backlog_alarm_that_comes_too_late_is_refused(tmp_path):
    with pytest.raises(DeployError, match="leaves no time to act"):
        synthesise(tmp_path, settings={"max_queue_age": timedelta(days=2)})


def test_a_worker_is_found_by_lane_only(tmp_path):
    with pytest.raises(DeployError, match="name one of critical, bulk, media-gpu"):
        synthesise(tmp_path, add=lambda stack: stack.pipeline.worker("blk"))


def test_a_stack_name_too_long_for_its_queues_is_refused(tmp_path):
    from aws_cdk import App

    from tests.infrastructure.stacks import REGISTRY, code_folder, dependency_folder
    from tidemill_cdk import TidemillStack

    settings = DeploySettings(dependencies=dependency_folder(tmp_path / "d"), cache=tmp_path / "cache")
    with pytest.raises(DeployError, match="shorten the stack name"):
        TidemillStack(App(), "s" * 70, registry=REGISTRY, code=code_folder(tmp_path / "code"), settings=settings)
