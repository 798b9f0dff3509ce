"""cdk-nag and our own rules find nothing that is not waived in writing, and nothing is waived in vain."""

from tests.infrastructure.stacks import Synthesised


def test_all_three_packs_ran(production: Synthesised):
    assert {"AwsSolutions", "Serverless", "Tidemill"} <= {
        plugin["pluginName"] for plugin in production.report["pluginReports"]
    }


def test_nothing_is_found_that_is_not_waived(production: Synthesised):
    assert production.violations() == []
    assert production.error == ""


def test_no_waiver_is_written_in_vain(production: Synthesised):
    unused = [
        (scope, finding) for scope, finding, _ in production.waivers if (scope, finding) not in production.accepted()
    ]
    assert production.waivers
    assert unused == []


def test_every_reason_is_one_line_that_says_something(production: Synthesised):
    for _, finding, reason in production.waivers:
        assert len(reason.split()) >= 6, finding
        assert "\n" not in reason


def test_a_finding_without_waiver_is_found(tmp_path):
    """The proof that the packs look at what they should."""
    from aws_cdk import App, Validations
    from aws_cdk import aws_s3 as s3
    from cdk_nag import AwsSolutionsChecks

    from tests.infrastructure.stacks import synthesise

    def add_pack(app: App) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))

    found = synthesise(tmp_path, prepare=add_pack, add=lambda stack: s3.Bucket(stack, "Open")).violations()

    assert ("AwsSolutions", "AwsSolutions-S10", "tidemill/Open/Resource") in found
