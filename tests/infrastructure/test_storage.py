"""Tables and buckets: keys, indexes, protection."""

import pytest

from tests.infrastructure.stacks import Synthesised
from tidemill import days
from tidemill.domain import limits


def test_jobs_table_keys_and_stream(production: Synthesised):
    table = production.properties("JobsTable")

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("stack", ["production", "chosen_otherwise"])
def test_both_indexes_are_always_there_and_hold_keys_only(request, stack):
    """Switching the list index on later must not wait for a backfill."""
    table = request.getfixturevalue(stack).properties("JobsTable")

    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert set(indexes) == {"list", "attention", "due"}
    for name, index in indexes.items():
        assert [key["AttributeName"] for key in index["KeySchema"]] == [f"{name}_pk", f"{name}_sk"]
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_idempotency_table_has_the_names_that_powertools_uses(production: Synthesised):
    from inspect import signature

    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    defaults = signature(DynamoDBPersistenceLayer).parameters
    table = production.properties("IdempotencyRecords")
    assert table["KeySchema"] == [{"AttributeName": defaults["key_attr"].default, "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"]["AttributeName"] == defaults["expiry_attr"].default


@pytest.mark.parametrize("table", ["JobsTable", "IdempotencyRecords"])
def test_production_keeps_its_tables(production: Synthesised, chosen_otherwise: Synthesised, table):
    assert production.resources[table]["DeletionPolicy"] == "Retain"
    assert production.properties(table)["DeletionProtectionEnabled"] is True
    assert chosen_otherwise.resources[table]["DeletionPolicy"] == "Delete"
    assert chosen_otherwise.properties(table)["DeletionProtectionEnabled"] is False


@pytest.mark.parametrize("name", ["Payloads", "Media"])
def test_buckets_are_private_and_encrypted(production: Synthesised, name):
    bucket = production.properties(name)

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert production.resources[name]["DeletionPolicy"] == "Retain"
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in production.of_type("AWS::S3::BucketPolicy").values()
        if policy["Properties"]["Bucket"] == {"Ref": name}
    )
    assert [(item["Effect"], item["Action"], item["Condition"]) for item in policy] == [
        ("Deny", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    ]


def test_payloads_outlive_every_job_that_names_them(production: Synthesised):
    everything, *_ = production.properties("Payloads")["LifecycleConfiguration"]["Rules"]

    # A read that did not renew it found it at most so old; what follows until the next may take the longest.
    longest = limits.PAYLOAD_RENEWAL + limits.MAX_DELAY + limits.STATE_HORIZON + limits.MAX_RETENTION
    assert "TagFilters" not in everything
    assert everything["ExpirationInDays"] >= longest.days
    assert everything["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize("retention", [1, 7, 8, 30, 31, 90, 365, 400])
def test_a_large_result_lives_a_day_longer_than_its_record(production: Synthesised, retention):
    from tidemill.aws.payloads import LIFE_TAG, life_for

    _, *tagged = production.properties("Payloads")["LifecycleConfiguration"]["Rules"]
    rules = {rule["TagFilters"][0]["Value"]: rule["ExpirationInDays"] for rule in tagged}
    life = life_for(days(retention)).days

    assert {(len(rule["TagFilters"]), rule["TagFilters"][0]["Key"]) for rule in tagged} == {(1, LIFE_TAG)}
    assert rules[str(life)] == life
    assert retention + 1 <= life <= max(8, 10 * retention)


def test_media_is_never_deleted_by_age(production: Synthesised):
    (rule,) = production.properties("Media")["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in rule


def test_only_a_throwaway_stack_empties_its_buckets(production: Synthesised, chosen_otherwise: Synthesised):
    assert not production.of_type("Custom::S3AutoDeleteObjects")
    assert len(chosen_otherwise.of_type("Custom::S3AutoDeleteObjects")) == 1
