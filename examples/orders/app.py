"""The shop as a stack of its own: its jobs, its saga, and the table of its books."""

import sys
from dataclasses import replace
from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_dynamodb as dynamodb

from tidemill_cdk import DeploySettings, TidemillStack, add_output
from tidemill_cdk.table import removal_policy

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
app = App()
# The demo deploys a copy of it, with a worker of its own.
FUNCTIONS = Path(app.node.try_get_context("functions") or HERE / "functions")
sys.path.insert(0, str(FUNCTIONS))

from orders import registry  # noqa: E402 - it needs the path above
from orders.books import TABLE_VARIABLE  # noqa: E402 - the same

settings = replace(
    DeploySettings.from_context(app.node.try_get_context),
    # Those of the reference application, so that one dependency layer is built for both.
    requirements=REPOSITORY / "functions" / "requirements.txt",
    cache=REPOSITORY / ".tidemill" / "build",
)
stack = TidemillStack(app, "orders", registry=registry, code=FUNCTIONS, settings=settings)

books = dynamodb.Table(
    stack,
    "Books",
    partition_key=dynamodb.Attribute(name="name", type=dynamodb.AttributeType.STRING),
    billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
    point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
    removal_policy=removal_policy(settings),
)
worker = stack.pipeline.worker("default")
worker.function.add_environment(TABLE_VARIABLE, books.table_name)
books.grant(worker.role, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
add_output(stack, "BooksTable", books.table_name, "Where every posting and balance is")

app.synth()
