"""The reference application: `cdk/app.py` as the CDK runs it."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def synthesise(repository: Path, folder: Path, **context: str) -> dict:
    """Run the program that cdk.json names, with the context that the CDK CLI would hand over."""
    command = json.loads((repository / "cdk.json").read_text())["app"].split()
    assert command[0] == "python3"
    flags = json.loads((repository / "cdk.json").read_text())["context"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps({**flags, "aws:cdk:enable-asset-metadata": True, **context}),
    }
    subprocess.run(command, cwd=repository, env=environment, check=True, capture_output=True)
    stack = context.get("stack", "tidemill")
    return json.loads((folder / "cdk.out" / f"{stack}.template.json").read_text())


@pytest.fixture(scope="module")
def template(repository, tmp_path_factory):
    return synthesise(repository, tmp_path_factory.mktemp("app"), local="on", stack="demo")


def test_stack_is_named_by_context(template):
    assert template["Resources"]["QueueBulk"]["Properties"]["QueueName"] == "demo-bulk"


def test_outputs(template):
    wanted = {"ApiUrl", "Table", "PayloadBucket", "IdempotencyTable", "Lanes", "Settings", "MediaBucket"}
    assert set(template["Outputs"]) == wanted
    assert template["Outputs"]["Lanes"]["Value"] == "critical,default,bulk"


def test_local_functions_run_on_this_machine(template):
    worker = template["Resources"]["WorkerBulk"]["Properties"]
    assert worker["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"


def test_thumbnails_reach_the_media_bucket_and_no_other_worker_does(template):
    def grants(lane):
        role = template["Resources"][f"Worker{lane}"]["Properties"]["Role"]["Fn::GetAtt"][0]
        policies = [
            item["Properties"]
            for item in template["Resources"].values()
            if item["Type"] == "AWS::IAM::Policy" and {"Ref": role} in item["Properties"]["Roles"]
        ]
        assert policies
        return json.dumps(policies).count('["Media", "Arn"]')

    assert (grants("Bulk"), grants("Default"), grants("Critical")) == (1, 0, 0)


def test_sam_finds_every_function_and_its_assets(template, repository, tmp_path_factory):
    config = tomllib.loads((repository / "samconfig.toml").read_text())
    assert config["default"]["local_invoke"]["parameters"]["template_file"] == "cdk.out/tidemill.template.json"
    named = (repository / "samconfig.toml").read_text().split("# Functions: ")[1].split(".")[0].split(", ")
    functions = {id_: item for id_, item in template["Resources"].items() if item["Type"] == "AWS::Lambda::Function"}
    ours = {id_: item for id_, item in functions.items() if item["Properties"]["Handler"].endswith("handler.handler")}
    assert set(named) == set(ours)
    assert all(item["Metadata"]["aws:asset:path"].startswith("asset.") for item in ours.values())


def test_program_is_short(repository):
    assert len((repository / "cdk" / "app.py").read_text().splitlines()) <= 25
