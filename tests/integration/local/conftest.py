import json
import shutil
from pathlib import Path

import pytest

from tidemill.local import LocalCloud

# A synthesised application, so that the real CDK command line deploys without jsii being started.
ASSEMBLY = {
    "version": "48.0.0",
    "artifacts": {
        "small": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "small.template.json", "validateOnSynth": False},
        }
    },
}
TEMPLATE = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 7}}},
    "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
}


@pytest.fixture
def application(tmp_path: Path, repository: Path) -> Path:
    """The folder of a CDK application of one queue."""
    folder = tmp_path / "application"
    (folder / "assembly").mkdir(parents=True)
    (folder / "cdk.json").write_text(json.dumps({"app": "assembly"}))
    (folder / "assembly" / "manifest.json").write_text(json.dumps(ASSEMBLY))
    (folder / "assembly" / "small.template.json").write_text(json.dumps(TEMPLATE))
    (folder / "node_modules").symlink_to(repository / "node_modules")
    yield folder
    left = LocalCloud.find(folder)
    if left:
        left.stop()
    shutil.rmtree(folder)
