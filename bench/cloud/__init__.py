"""DynamoDB, SQS and Lambda's poller in one process, metered by AWS's published rules."""
