"""Random requests to DynamoDB: few keys and few attributes, so that they meet each other."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Step = tuple[str, str, dict[str, Any]]

TABLE = "<TABLE>"
PARTITIONS = ("p", "q")
SORTS = ("a", "ab", "b")
# A page walk: Query with a limit until no LastEvaluatedKey comes back.
QUERY_ALL = "QueryAll"

numbers = st.integers(-2, 5).map(lambda number: {"N": str(number)})
texts = st.sampled_from(["a", "ab", "b", "zä"]).map(lambda text: {"S": text})
sets = st.sets(st.sampled_from(["x", "y", "z"]), min_size=1).map(lambda members: {"SS": sorted(members)})
maps = st.dictionaries(st.sampled_from(["a", "b"]), numbers).map(lambda members: {"M": members})
lists = st.lists(st.one_of(numbers, texts), max_size=2).map(lambda members: {"L": members})
flags = st.booleans().map(lambda flag: {"BOOL": flag})
scalars = st.one_of(numbers, texts, flags)

keys = st.builds(lambda pk, sk: {"pk": {"S": pk}, "sk": {"S": sk}}, st.sampled_from(PARTITIONS), st.sampled_from(SORTS))
attributes = st.fixed_dictionaries(
    {},
    optional={
        "n": numbers,
        "s": texts,
        "t": sets,
        "m": maps,
        "l": lists,
        "f": flags,
        "due_pk": st.just({"S": "0"}),
        "due_sk": st.sampled_from([{"S": "1"}, {"S": "2"}]),
    },
)
items = st.builds(lambda key, rest: {**key, **rest}, keys, attributes)

_PATHS = st.sampled_from(["n", "s", "t", "#m.a", "m", "l[0]", "pk", "sk", "f", "gone"])
# A test with holes for its values.
Test = tuple[str, Sequence[Any]]


_COMPARED = st.one_of(
    st.tuples(st.sampled_from(["=", "<>"]), scalars),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), st.one_of(numbers, texts)),
)
_RANGES = st.tuples(st.integers(-2, 5), st.integers(-2, 5)).map(sorted)
_tests: st.SearchStrategy[Test] = st.one_of(
    st.builds("{}({})".format, st.sampled_from(["attribute_exists", "attribute_not_exists"]), _PATHS).map(
        lambda text: (text, ())
    ),
    st.builds(lambda path, compared: (f"{path} {compared[0]} ?", (compared[1],)), _PATHS, _COMPARED),
    _RANGES.map(lambda ends: ("n BETWEEN ? AND ?", [{"N": str(end)} for end in ends])),
    st.builds(lambda path, two: (f"{path} IN (?, ?)", two), _PATHS, st.tuples(scalars, scalars)),
    texts.map(lambda text: ("begins_with(s, ?)", (text,))),
    st.builds(
        lambda name, text: (f"contains({name}, ?)", ({"S": text},)), st.sampled_from("st"), st.sampled_from("xa")
    ),
    st.integers(0, 3).map(lambda size: ("size(s) > ?", ({"N": str(size)},))),
    st.builds(
        lambda path, kind: (f"attribute_type({path}, ?)", ({"S": kind},)), _PATHS, st.sampled_from(["S", "N", "SS"])
    ),
)


def _joined(parts: Sequence[Test], word: str) -> Test:
    return f" {word} ".join(f"({text})" for text, _ in parts), [value for _, values in parts for value in values]


tests: st.SearchStrategy[Test] = st.recursive(
    _tests,
    lambda inner: st.one_of(
        st.builds(_joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
        inner.map(lambda test: (f"NOT ({test[0]})", test[1])),
    ),
    max_leaves=3,
)

# Changes by the attribute that they touch: no two of one attribute go into one update.
_CHANGES: dict[str, st.SearchStrategy[tuple[str, Test]]] = {
    "n": st.one_of(
        numbers.map(lambda value: ("SET", ("n = ?", [value]))),
        numbers.map(lambda value: ("SET", ("n = n + ?", [value]))),
        numbers.map(lambda value: ("SET", ("n = if_not_exists(n, ?) - ?", [value, {"N": "1"}]))),
        numbers.map(lambda value: ("ADD", ("n ?", [value]))),
        st.just(("REMOVE", ("n", ()))),
    ),
    "m": st.one_of(
        maps.map(lambda value: ("SET", ("#m = ?", [value]))),
        numbers.map(lambda value: ("SET", ("#m.a = ?", [value]))),
        numbers.map(lambda value: ("SET", ("#m.#b = if_not_exists(#m.#b, ?)", [value]))),
        st.just(("REMOVE", ("#m.a", ()))),
        st.just(("SET", ("#m.a = n", ()))),
    ),
    "l": st.one_of(
        lists.map(lambda value: ("SET", ("l = ?", [value]))),
        lists.map(lambda value: ("SET", ("l = list_append(l, ?)", [value]))),
        numbers.map(lambda value: ("SET", ("l[0] = ?", [value]))),
        st.just(("REMOVE", ("l[0]", ()))),
    ),
    "t": st.one_of(
        sets.map(lambda value: ("SET", ("t = ?", [value]))),
        sets.map(lambda value: ("ADD", ("t ?", [value]))),
        sets.map(lambda value: ("DELETE", ("t ?", [value]))),
    ),
    "due_sk": st.one_of(
        st.sampled_from(["1", "2"]).map(lambda at: ("SET", ("due_sk = ?, due_pk = ?", [{"S": at}, {"S": "0"}]))),
        st.just(("REMOVE", ("due_sk, due_pk", ()))),
    ),
}


@st.composite
def _updates(draw: Any) -> Test:
    touched = draw(st.lists(st.sampled_from(sorted(_CHANGES)), min_size=1, max_size=3, unique=True))
    clauses: dict[str, list[Test]] = {}
    for name in touched:
        clause, change = draw(_CHANGES[name])
        clauses.setdefault(clause, []).append(change)
    texts_ = [f"{clause} {', '.join(text for text, _ in changes)}" for clause, changes in clauses.items()]
    return " ".join(texts_), [value for changes in clauses.values() for _, values in changes for value in values]


def _filled(**expressions: Test | None) -> dict[str, Any]:
    """The expressions as a request holds them: their holes numbered, their placeholders declared."""
    request: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for clause, test in expressions.items():
        if test is None:
            continue
        text, given = test
        for value in given:
            text = text.replace("?", f":{len(values)}", 1)
            values[f":{len(values)}"] = value
        request[clause] = text
    whole = " ".join(request.values())
    names = {"#m": "m", "#b": "b"}
    used = {placeholder: name for placeholder, name in names.items() if placeholder in whole}
    if used:
        request["ExpressionAttributeNames"] = used
    if values:
        request["ExpressionAttributeValues"] = values
    return request


_conditions = st.one_of(st.none(), tests)
_refusals = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])
_old = st.sampled_from([{}, {"ReturnValues": "ALL_OLD"}])
_values = st.sampled_from(
    [{}, *({"ReturnValues": name} for name in ("ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"))]
)


def _put(item: Any, condition: Test | None, *options: dict[str, Any]) -> dict[str, Any]:
    return _with({"TableName": TABLE, "Item": item, **_filled(ConditionExpression=condition)}, options)


def _delete(key: Any, condition: Test | None, *options: dict[str, Any]) -> dict[str, Any]:
    return _with({"TableName": TABLE, "Key": key, **_filled(ConditionExpression=condition)}, options)


def _update(key: Any, update: Test, condition: Test | None, *options: dict[str, Any]) -> dict[str, Any]:
    expressions = _filled(UpdateExpression=update, ConditionExpression=condition)
    return _with({"TableName": TABLE, "Key": key, **expressions}, options)


def _with(request: dict[str, Any], options: Sequence[dict[str, Any]]) -> dict[str, Any]:
    for one in options:
        request |= one
    return request


def _get(key: Any, consistent: bool) -> dict[str, Any]:  # noqa: FBT001
    return {"TableName": TABLE, "Key": key, "ConsistentRead": consistent}


_actions = st.one_of(
    st.builds(_put, items, _conditions, _refusals).map(lambda one: {"Put": one}),
    st.builds(_update, keys, _updates(), _conditions, _refusals).map(lambda one: {"Update": one}),
    st.builds(_delete, keys, _conditions, _refusals).map(lambda one: {"Delete": one}),
    st.builds(_delete, keys, tests, _refusals).map(lambda one: {"ConditionCheck": one}),
)

_ranges = st.one_of(
    st.just(("", ())),
    st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), st.sampled_from(SORTS)).map(
        lambda one: (f" AND sk {one[0]} ?", ({"S": one[1]},))
    ),
    st.just((" AND begins_with(sk, ?)", ({"S": "a"},))),
    st.just((" AND sk BETWEEN ? AND ?", ({"S": "a"}, {"S": "ab"}))),
)


def _table_query(partition: str, within: Test, limit: int, forward: bool) -> dict[str, Any]:  # noqa: FBT001
    condition = ("pk = ?" + within[0], [{"S": partition}, *within[1]])
    return _query(condition, limit, forward) | {"ConsistentRead": True}


def _index_query(until: str, limit: int, forward: bool) -> dict[str, Any]:  # noqa: FBT001
    return _query(("due_pk = ? AND due_sk <= ?", [{"S": "0"}, {"S": until}]), limit, forward) | {"IndexName": "due"}


def _query(condition: Test, limit: int, forward: bool) -> dict[str, Any]:  # noqa: FBT001
    filled = _filled(KeyConditionExpression=condition)
    return {"TableName": TABLE, "Limit": limit, "ScanIndexForward": forward, **filled}


_limits = st.integers(1, 4)
_STATEMENTS = {
    "UPDATE": (
        'UPDATE "<TABLE>" SET "n" = ? SET "s" = \'w\' REMOVE "f" '
        'WHERE "pk" = ? AND "sk" = ? AND "n" < ? RETURNING ALL OLD *'
    ),
    "COUNT": 'UPDATE "<TABLE>" SET "n" = "n" + 1 WHERE "pk" = ? AND "sk" = ? AND "n" = ?',
    "MISSING": 'UPDATE "<TABLE>" SET "n" = ? WHERE "pk" = ? AND "sk" = ? AND "n" IS MISSING',
    "DELETE": 'DELETE FROM "<TABLE>" WHERE "pk" = ? AND "sk" = ? AND "n" = ?',
    "INSERT": "INSERT INTO \"<TABLE>\" VALUE {'pk': ?, 'sk': ?, 'n': ?}",
    "SELECT": 'SELECT * FROM "<TABLE>" WHERE "pk" = ? AND "sk" = ?',
}


def _statement(verb: str, key: Any, one: Any, other: Any, refusal: dict[str, Any]) -> dict[str, Any]:
    given = {
        "UPDATE": [one, key["pk"], key["sk"], other],
        "COUNT": [key["pk"], key["sk"], one],
        "MISSING": [one, key["pk"], key["sk"]],
        "DELETE": [key["pk"], key["sk"], one],
        "INSERT": [key["pk"], key["sk"], one],
        "SELECT": [key["pk"], key["sk"]],
    }[verb]
    return {"Statement": _STATEMENTS[verb], "Parameters": given, **refusal}


_writes = ("COUNT", "DELETE", "INSERT", "MISSING", "UPDATE")
_statements = st.builds(_statement, st.sampled_from(_writes), keys, numbers, numbers, _refusals)
_reads = st.builds(_statement, st.just("SELECT"), keys, numbers, numbers, st.just({}))


def _key_of(statement: dict[str, Any]) -> str:
    parameters = statement["Parameters"]
    first = statement["Statement"].partition(" WHERE ")[0].count("?") if " WHERE " in statement["Statement"] else 0
    return repr(parameters[first : first + 2])


def _steps(operation: str, strategy: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Step]:
    return strategy.map(lambda arguments: ("dynamodb", operation, arguments))


single = st.one_of(
    _steps("PutItem", st.builds(_put, items, _conditions, _refusals, _old)),
    _steps("UpdateItem", st.builds(_update, keys, _updates(), _conditions, _refusals, _values)),
    _steps("DeleteItem", st.builds(_delete, keys, _conditions, _refusals, _old)),
    _steps("GetItem", st.builds(_get, keys, st.booleans())),
)
several = st.one_of(
    _steps("TransactWriteItems", st.lists(_actions, min_size=1, max_size=3).map(lambda some: {"TransactItems": some})),
    _steps(
        "BatchWriteItem",
        st.lists(
            st.one_of(
                items.map(lambda item: {"PutRequest": {"Item": item}}),
                keys.map(lambda key: {"DeleteRequest": {"Key": key}}),
            ),
            min_size=1,
            max_size=3,
        ).map(lambda some: {"RequestItems": {TABLE: some}}),
    ),
    _steps(
        "BatchGetItem",
        st.lists(keys, min_size=1, max_size=3).map(
            lambda some: {"RequestItems": {TABLE: {"Keys": some, "ConsistentRead": True}}}
        ),
    ),
)
queries = st.one_of(
    _steps(QUERY_ALL, st.builds(_table_query, st.sampled_from(PARTITIONS), _ranges, _limits, st.booleans())),
    _steps(QUERY_ALL, st.builds(_index_query, st.sampled_from(["1", "2"]), _limits, st.booleans())),
)
partiql = st.one_of(
    _steps(
        "BatchExecuteStatement",
        st.lists(_statements, min_size=1, max_size=3, unique_by=_key_of).map(lambda some: {"Statements": some}),
    ),
    _steps(
        "BatchExecuteStatement",
        st.lists(_reads, min_size=1, max_size=3, unique_by=_key_of).map(lambda some: {"Statements": some}),
    ),
    _steps("ExecuteStatement", st.one_of(_statements, _reads)),
)
EVERYTHING = tuple(
    ("dynamodb", "GetItem", {"TableName": TABLE, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}, "ConsistentRead": True})
    for pk in PARTITIONS
    for sk in SORTS
)


def _beginning(attributes_of: list[dict[str, Any]]) -> Step:
    items_ = [{"pk": {"S": "p"}, "sk": {"S": sk}, **rest} for sk, rest in zip(SORTS, attributes_of, strict=True)]
    return (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {TABLE: [{"PutRequest": {"Item": item}} for item in items_]}},
    )


# A partition that is full: else most conditions would meet nothing, and no query would have a second page.
sequences = st.builds(
    lambda first, rest: [_beginning(first), *rest],
    st.lists(attributes, min_size=len(SORTS), max_size=len(SORTS)),
    st.lists(st.one_of(single, single, several, queries, partiql), min_size=2, max_size=10),
)
