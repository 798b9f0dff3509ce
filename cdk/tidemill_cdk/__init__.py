"""CDK constructs that turn a job registry into a deployed pipeline."""

from tidemill_cdk.bucket import PrivateBucket
from tidemill_cdk.outputs import add_output
from tidemill_cdk.pipeline import TidemillPipeline
from tidemill_cdk.settings import Architecture, DeployError, DeploySettings, JwtAuthorization
from tidemill_cdk.stack import TidemillStack
from tidemill_cdk.waivers import waive
from tidemill_cdk.worker import LaneWorker

__all__ = (
    "Architecture",
    "DeployError",
    "DeploySettings",
    "JwtAuthorization",
    "LaneWorker",
    "PrivateBucket",
    "TidemillPipeline",
    "TidemillStack",
    "add_output",
    "waive",
)
