"""One synth for all tests of the template: the constructs answer through a Node process, which takes seconds."""

import pytest

from tests.infrastructure.stacks import ASKING, Synthesised, synthesise


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stack with the settings of production, seen by both packs of cdk-nag."""
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from tidemill_cdk import PrivateBucket, TidemillStack

    def add_packs(app: App) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))

    def add_media(stack: TidemillStack) -> None:
        media = PrivateBucket(stack, "Media", name="Media", settings=stack.settings)
        media.grant_read(stack.pipeline.worker("bulk").role)
        media.grant_write(stack.pipeline.worker("bulk").role)

    return synthesise(tmp_path_factory.mktemp("production"), prepare=add_packs, add=add_media)


@pytest.fixture(scope="session")
def chosen_otherwise(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stack with everything that is a choice chosen otherwise."""
    from tidemill_cdk import JwtAuthorization

    settings = {
        "retain_data": False,
        "list_index": False,
        "tracing": False,
        "alarm_topic_arn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "jwt": JwtAuthorization("https://issuer.example", ("tidemill",), "org"),
        "api_url": "https://jobs.example.org",
    }
    return synthesise(tmp_path_factory.mktemp("otherwise"), settings=settings, registry=ASKING)
