"""Whatever is sent: never a 5xx, never a row or message with a refusal, always a message with an acceptance."""

import json
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.http.conftest import World
from tests.unit.http.gateway import make_event

TEXT = st.text(st.characters(exclude_categories=[]), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
KEYS = st.sampled_from(["", "k", "a b", "k" * 97]) | TEXT
PLAUSIBLE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["loose", "loose", "blob", "pay.once", "media.thumb"]) | JSON,
        "args": st.sampled_from([{}, {"text": "x"}, {"bucket": "b", "width": 99}])
        | st.dictionaries(TEXT, JSON, max_size=3)
        | JSON,
    },
    optional={
        "key": KEYS | JSON,
        "tenant": st.sampled_from(["default", "acme"]) | JSON,
        "lane": st.sampled_from(["bulk", "nope"]) | JSON,
        "delay_seconds": st.floats(0, 1e6) | st.integers(0, 10_000) | JSON,
        "expires_in_seconds": st.integers(0, 10_000) | JSON,
        "job_id": st.uuids().map(str) | JSON,
        "correlation_id": JSON,
        "extra": JSON,
    },
)
ONE = PLAUSIBLE | JSON
BODY = st.one_of(
    ONE.map(json.dumps),
    ONE.map(lambda document: json.dumps(document, ensure_ascii=False)),
    st.lists(ONE, max_size=5).map(lambda jobs: json.dumps({"jobs": jobs})),
    st.text(max_size=40),
    st.binary(max_size=40),
)
AUTHORIZER = st.sampled_from([{"iam": {"accountId": "1"}}, {"jwt": {"claims": {"tenant": "acme"}}}])
HEADERS = st.fixed_dictionaries({}, optional={"idempotency-key": KEYS, "content-type": TEXT, "x-any": TEXT})


@settings(max_examples=300, deadline=None)
@given(
    body=BODY, path=st.sampled_from(["/jobs", "/jobs/batch"]), headers=HEADERS, authorizer=AUTHORIZER, data=st.data()
)
def test_no_body_breaks_a_submit(body, path, headers, authorizer, data):
    world = World()
    is_text = not isinstance(body, str) or all(not 0xD800 <= ord(char) < 0xE000 for char in body)
    answer = world.call(
        "POST", path, body, headers=headers, authorizer=authorizer, encoded=is_text and data.draw(st.booleans())
    )
    assert answer.status < 500
    messages = sum(world.queues.count(lane) for lane in ("critical", "default", "bulk"))
    parked = len(world.store.envelopes)
    if answer.status >= 400:
        assert world.is_empty
    elif path == "/jobs":
        assert (len(world.store.jobs), messages + parked) == (1, 1)
    else:
        created = [result for result in answer.json["results"] if result.get("created")]
        assert len(world.store.jobs) == messages + parked == len(created) > 0
    if authorizer.get("jwt"):
        assert {ref.tenant for ref in world.store.jobs} <= {"acme"}


NODES = st.dictionaries(st.sampled_from(["a", "b", "c"]) | TEXT, ONE, max_size=3)
AFTER = st.dictionaries(
    st.sampled_from(["a", "b", "c"]) | TEXT, st.lists(st.sampled_from(["a", "b", "c"]) | JSON, max_size=3) | JSON
)
FLOW = st.recursive(
    ONE,
    lambda child: st.fixed_dictionaries(
        {},
        optional={
            "children": st.lists(child, max_size=3) | JSON,
            "steps": st.lists(child, max_size=3) | JSON,
            "nodes": NODES | JSON,
            "after": AFTER | JSON,
            "then": ONE,
            "completion": st.sampled_from(["all", "first"])
            | st.dictionaries(st.sampled_from(["at_least", "tolerate"]), JSON, max_size=2)
            | JSON,
            "key": KEYS | JSON,
        },
    ),
    max_leaves=6,
)
GRAPH = st.fixed_dictionaries({"nodes": NODES}, optional={"after": AFTER | JSON})


@settings(max_examples=300, deadline=None)
@given(body=FLOW | GRAPH)
def test_no_body_breaks_a_start_of_a_batch(body):
    world = World()
    answer = world.call("POST", "/batches", json.dumps(body))
    assert answer.status < 500
    if answer.status >= 400:
        assert world.is_empty
        assert world.batches.records == {}


@settings(max_examples=200, deadline=None)
@given(after=AFTER)
def test_no_edges_break_a_graph(after):
    loose = {"kind": "loose", "args": {}}
    answer = World().call("POST", "/batches", json.dumps({"nodes": dict.fromkeys("abc", loose), "after": after}))
    assert answer.status < 500


NAMES = st.sampled_from(["state", "kind", "day", "limit", "cursor", "tenant", "failures"]) | TEXT
VALUES = st.sampled_from(["dead", "scheduled", "loose", "2027-01-15", "10", "true", "acme", "-1"]) | TEXT


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "DELETE", "POST", "PUT", "HEAD"]),
    path=st.sampled_from(["/jobs", "/openapi.json", "/jobs/batch"]) | TEXT.map("/jobs/{}".format) | TEXT,
    query=st.dictionaries(NAMES, VALUES, max_size=3) | st.none(),
    authorizer=AUTHORIZER | st.none(),
)
def test_no_path_or_query_breaks_a_lookup(method, path, query, authorizer):
    world = World()
    event = make_event(method, "/jobs", authorizer=authorizer)
    event |= {"rawPath": path, "queryStringParameters": query, "routeKey": f"{method} {path}"}
    answer = world.send(event)
    assert answer.status < 500
    assert world.is_empty
    if answer.status >= 400:
        schema = {"$ref": "#/components/schemas/Problem"} if "results" not in answer.json else {}
        assert world.validator(schema).is_valid(answer.json)


@settings(max_examples=100, deadline=None)
@given(
    key=st.text(st.sampled_from("abc.:/@+=,-_#ü "), min_size=1, max_size=6),
    tenant=st.text(st.sampled_from("ab-_.#/ü"), min_size=1, max_size=4),
)
def test_an_accepted_job_is_found_by_its_link(key, tenant):
    world = World()
    answer = world.call("POST", "/jobs", {"kind": "loose", "args": {}, "key": key, "tenant": tenant})
    if answer.status == 202:
        found = world.call("GET", answer.headers["Location"])
        assert (found.json["key"], found.json["tenant"]) == (key, tenant)
        assert quote(tenant) in answer.headers["Location"] or tenant == "default"
    else:
        assert answer.status == 422
        assert world.is_empty
