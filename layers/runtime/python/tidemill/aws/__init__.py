"""The ports on AWS: DynamoDB for records, SQS for messages. Imports botocore, never boto3."""
