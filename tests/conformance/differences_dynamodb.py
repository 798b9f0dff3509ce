"""Known differences from DynamoDB."""

from tests.conformance.difference import Difference, both, ministack, moto

GUIDE = "DynamoDB Developer Guide"
API = "DynamoDB API Reference"
NOT_THERE = "ModuleNotFoundError"
_PARTIQL = moto(NOT_THERE)

DYNAMODB = (
    Difference(
        "an index key of another type",
        "PutItem",
        "If you specify any attributes that are part of an index key, then the data types for those attributes "
        "must match those of the schema",
        f"{API}, PutItem, Item",
        moto("ok"),
    ),
    Difference(
        "an item of 400 KB",
        "PutItem",
        "The maximum item size is 400 KB, which includes both attribute name binary length and attribute value lengths",
        f"{GUIDE}, Constraints in Amazon DynamoDB",
        moto("ValidationException"),
    ),
    Difference(
        "a number's text",
        "PutItem",
        "Leading and trailing zeroes are trimmed",
        f"{GUIDE}, Supported data types, Number",
        moto("{'N': '1.50'}"),
    ),
    Difference(
        "a number with an exponent",
        "PutItem",
        "Numbers are kept as numbers, whatever text they came in",
        f"{GUIDE}, Supported data types, Number",
        moto("{'N': '1E3'}"),
    ),
    Difference(
        "a number of 39 digits",
        "PutItem",
        "Numbers can have up to 38 digits of precision. Exceeding this results in an exception",
        f"{GUIDE}, Supported data types, Number",
        moto("ok"),
    ),
    Difference(
        "two changes of one attribute",
        "UpdateItem",
        "Two document paths overlap with each other; must remove or rewrite one of these paths",
        "the error's own text",
        ministack("ok"),
    ),
    Difference(
        "an operand of another type",
        "UpdateItem",
        "An operand in the update expression has an incorrect data type",
        f"{API}, TransactWriteItems, cancellation reasons",
        ministack("ok"),
    ),
    Difference(
        "a removal from nothing",
        "UpdateItem",
        "The document path provided in the update expression is invalid for update",
        f"{API}, TransactWriteItems, cancellation reasons",
        ministack("ok"),
    ),
    Difference(
        "the size of nothing",
        "PutItem",
        "A comparison with an attribute that is not there is false",
        f"{GUIDE}, Condition and filter expressions, operators and functions",
        moto("ValueError"),
    ),
    Difference(
        "a comparison of two types",
        "PutItem",
        "A comparison of values of two types is false",
        f"{GUIDE}, Condition and filter expressions, operators and functions",
        moto("TypeError"),
    ),
    Difference(
        "UPDATED_NEW of a new item",
        "UpdateItem",
        "UPDATED_NEW - Returns only the updated attributes, as they appear after the UpdateItem operation",
        f"{API}, UpdateItem, ReturnValues",
        moto("['a', 'pk', 'sk']"),
        lasting=False,
    ),
    Difference(
        "UPDATED_OLD of an equal value",
        "UpdateItem",
        "UPDATED_OLD - Returns only the updated attributes, as they appeared before the UpdateItem operation",
        f"{API}, UpdateItem, ReturnValues",
        moto("None"),
        lasting=False,
    ),
    Difference(
        "one item twice in BatchWriteItem",
        "BatchWriteItem",
        "DynamoDB rejects the entire batch if you try to perform multiple operations on the same item",
        f"{API}, BatchWriteItem",
        moto("ok"),
    ),
    Difference(
        "one item twice in a PartiQL batch",
        "BatchExecuteStatement",
        "Not documented; taken to be refused as in BatchWriteItem, so that nothing here relies on the opposite",
        "an assumption",
        both(NOT_THERE, "ok"),
    ),
    Difference(
        "a transaction's token twice",
        "TransactWriteItems",
        "Providing a ClientRequestToken makes the call idempotent: multiple identical calls have the same effect "
        "as one single call",
        f"{API}, TransactWriteItems, ClientRequestToken",
        moto("{'N': '2'}"),
    ),
    Difference(
        "a transaction's token with other actions",
        "TransactWriteItems",
        "The same client token but a change in other parameters within 10 minutes returns an "
        "IdempotentParameterMismatch exception",
        f"{API}, TransactWriteItems, ClientRequestToken",
        moto("ok"),
    ),
    Difference(
        "a transaction that can't be applied",
        "TransactWriteItems",
        "TransactionCanceledException with the reason ValidationError: The provided expression refers to an "
        "attribute that does not exist in the item",
        f"{API}, TransactWriteItems, cancellation reasons",
        moto("ValidationException"),
        lasting=False,
    ),
    Difference(
        "a statement of PartiQL",
        "BatchExecuteStatement",
        "This operation allows you to perform batch reads or writes on data stored in DynamoDB, using PartiQL",
        f"{API}, BatchExecuteStatement",
        moto("None"),
        left_out=True,
    ),
    Difference(
        "a PartiQL batch of reads and writes",
        "BatchExecuteStatement",
        "The entire batch must consist of either read statements or write statements, you cannot mix both in one batch",
        f"{API}, BatchExecuteStatement",
        both(NOT_THERE, "ok"),
    ),
    Difference(
        "a PartiQL update of nothing",
        "BatchExecuteStatement",
        "If the WHERE clause does not evaluate to true, ConditionalCheckFailedException is returned",
        f"{GUIDE}, PartiQL update statements",
        _PARTIQL,
    ),
    Difference(
        "a PartiQL deletion of nothing",
        "BatchExecuteStatement",
        "If the DELETE statement finds no item with that primary key, it returns SUCCESS with 0 items deleted",
        f"{GUIDE}, PartiQL delete statements",
        _PARTIQL,
    ),
    Difference(
        "a PartiQL removal of nothing",
        "BatchExecuteStatement",
        "Not documented; taken to change nothing and to fail nothing, as REMOVE of an update expression does",
        "an assumption",
        _PARTIQL,
    ),
    Difference(
        "a PartiQL insert of what is there",
        "BatchExecuteStatement",
        "If an item with that primary key exists, DuplicateItemException is returned",
        f"{GUIDE}, PartiQL insert statements",
        _PARTIQL,
    ),
    Difference(
        "a PartiQL insert alone",
        "ExecuteStatement",
        "If an item with that primary key exists, DuplicateItemException is returned",
        f"{GUIDE}, PartiQL insert statements",
        _PARTIQL,
    ),
    Difference(
        "a PartiQL update alone",
        "ExecuteStatement",
        "If the WHERE clause does not evaluate to true, ConditionalCheckFailedException is returned",
        f"{GUIDE}, PartiQL update statements",
        _PARTIQL,
    ),
    Difference(
        "a wrong number of PartiQL parameters",
        "ExecuteStatement",
        "The statement is refused as a whole",
        "the error's own text: Number of parameters in request and statement don't match",
        _PARTIQL,
    ),
    Difference(
        "a start outside the query",
        "Query",
        "The provided starting key is outside query boundaries based on provided conditions",
        "the error's own text",
        moto("ok"),
    ),
    Difference(
        "a page that ends with the partition",
        "Query",
        "If DynamoDB processes the number of items up to the limit, it stops and returns a key in LastEvaluatedKey",
        f"{API}, Query, Limit",
        moto("end"),
        lasting=False,
    ),
)
