"""Whatever is sent to the DLQ desk: never a 5xx, never a change with a refusal, never another tenant's job."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.http.conftest import World
from tests.unit.http.dead import ACME, kill, remember
from tests.unit.http.gateway import make_event
from tests.unit.http.test_fuzz import JSON, TEXT

FILTER = st.fixed_dictionaries(
    {},
    optional={
        "lane": st.sampled_from(["default", "bulk", "nope"]) | JSON,
        "kind": st.sampled_from(["loose", "blob"]) | JSON,
        "error": st.sampled_from(["0123456789abcdef", "x"]) | JSON,
        "reason": st.sampled_from(["permanent", "poison"]) | JSON,
        "since": st.sampled_from(["2026-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "0001-01-01T00:00:00Z"]) | JSON,
        "until": st.sampled_from(["2036-01-01T00:00:00+02:00", "now"]) | JSON,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["resume", "restart", "from_step"]) | JSON,
        "from_step": st.sampled_from(["charge", "nope"]) | JSON,
        "args": st.dictionaries(TEXT, JSON, max_size=3) | st.just({"anything": 1}) | JSON,
        "replace_args": st.booleans() | JSON,
        "dry_run": st.booleans() | JSON,
        "tenant": st.sampled_from(["acme", "globex"]) | JSON,
        "filter": FILTER | JSON,
        "limit": st.integers(-1, 60) | JSON,
        "cursor": JSON,
        "ids": st.lists(st.sampled_from(["0190a5b0-0000-7000-8000-000000000000"]) | TEXT, max_size=3) | JSON,
        "rate": st.floats(0.05, 2000) | JSON,
        "canary": st.integers(-1, 60) | JSON,
        "after": st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.sampled_from(["0190a5b0-0000-7000-8000-000000000000"]) | TEXT,
                    "generation": st.integers(-1, 3) | JSON,
                    "redriven": st.booleans() | JSON,
                }
            ),
            max_size=2,
        )
        | JSON,
        "confirm": st.integers(0, 3) | st.sampled_from(["default", "bulk"]) | JSON,
    },
)
KNOWN = {
    "/jobs/{id}/redrive": {"mode", "from_step", "args", "replace_args", "dry_run", "tenant"},
    "/dlq/redrive": {
        *("mode", "from_step", "filter", "limit", "cursor", "dry_run", "tenant"),
        *("ids", "rate", "canary", "after"),
    },
    "/dlq/purge": {"filter", "confirm", "dry_run", "tenant"},
}


def seen(world):
    messages = [(world.queues.count(lane), world.queues.depth(lane)) for lane in ("critical", "default", "bulk")]
    return dict(world.store.jobs), dict(world.store.envelopes), messages, dict(world.trail.entries)


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(sorted(KNOWN)), document=DOCUMENT | JSON, is_plausible=st.booleans())
def test_no_body_breaks_the_desk(path, document, is_plausible):
    world = World()
    mine, theirs = kill(world, tenant="acme"), kill(world, tenant="globex")
    for ref in (mine, theirs):
        remember(world, ref, "reserve", "charge")
    if is_plausible and isinstance(document, dict):
        document = {name: value for name, value in document.items() if name in KNOWN[path]}
    before, body = seen(world), json.dumps(document)

    answer = world.call("POST", path.replace("{id}", mine.id), body, authorizer=ACME)

    assert answer.status < 500
    assert world.store.jobs[theirs] == before[0][theirs]
    assert theirs.id in "".join(one.body for one in world.queues.peek("default", 9))
    if answer.status >= 400 or answer.json["dry_run"]:
        assert seen(world) == before


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from(["/dlq", "/dlq/groups"]) | TEXT.map("/dlq/{}".format) | TEXT.map("/jobs/{}/redrive".format),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    query=st.dictionaries(
        st.sampled_from(["lane", "kind", "error", "reason", "since", "until", "limit", "cursor", "tenant"]) | TEXT,
        st.sampled_from(["default", "loose", "2026-01-01T00:00:00Z", "5", "acme"]) | TEXT,
        max_size=3,
    ),
)
def test_no_path_or_query_breaks_a_look(path, method, query):
    world = World()
    event = make_event(method, "/dlq", {}, authorizer=ACME)
    event |= {"rawPath": path, "queryStringParameters": query, "routeKey": f"{method} {path}"}

    answer = world.send(event)

    assert answer.status < 500
    assert world.is_empty
