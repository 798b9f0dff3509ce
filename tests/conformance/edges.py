"""Every edge, by its name."""

from tests.conformance.edges_dynamodb import DYNAMODB
from tests.conformance.edges_s3 import S3
from tests.conformance.edges_sqs import SQS

EDGES = {edge.name: edge for edge in (*DYNAMODB, *SQS, *S3)}
