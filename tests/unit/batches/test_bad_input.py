"""Everything that is wrong with a flow is said before anything is written, and where it is."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Ordered, Plain, Work, works
from tidemill import JobArgs, Submission, minutes
from tidemill.batches import FIRST, Batch, Chain, Graph, at_least, tolerate
from tidemill.domain import limits
from tidemill.errors import InputError


class Unknown(JobArgs, kind="nobody.knows"):
    pass


def deep(levels):
    return Batch(works(1)) if levels == 1 else Batch([deep(levels - 1)])


NODES = {name: Work(n=1) for name in "abc"}
BAD = [
    ([Work()], "flow", "Batch, Chain or Graph"),
    (Batch("jobs"), "children", "list"),
    (Batch(Work()), "children", "list"),
    (Batch([Work(), 7]), "children[1].job", "not int"),
    (Batch([Unknown()]), "children[0].kind", "nobody.knows"),
    (Batch([Submission(Work(), key="k")]), "children[0].key", "key the batch"),
    (Batch([Submission(Work(), job_id="x")]), "children[0].job_id", "key the batch"),
    (Batch([Submission(Work(), tenant="zeta")]), "children[0].tenant", "zeta"),
    (Batch([Submission(Work(), lane="moon")]), "children[0].lane", "moon"),
    (Batch([Ordered()]), "children[0].entity", "missing"),
    (Batch([Submission(Ordered(), entity="e", delay=minutes(1))]), "children[0].delay", "FIFO"),
    (Batch([Work()], then=7), "then.job", "not int"),
    (Batch([Work()], on_failure=Submission(Plain(name="x"), key="k")), "on_failure.key", "key the batch"),
    (Batch([Work()], then=Chain()), "then.job", "not Chain"),
    (Batch([Work()], completion=at_least(2)), "completion", "2 successes of 1"),
    (Batch([Work()], completion=at_least(0)), "completion", "0 successes"),
    (Batch([Work()], completion=tolerate(2)), "completion", "2 of 1"),
    (Batch([], completion=FIRST), "completion", "1 successes of 0"),
    (Batch(works(*range(101)), completion=at_least(40)), "completion", r"Fix: tolerate(61)"),
    (Batch([Work()], completion="all"), "completion", "ALL"),
    (Chain(Work(), Submission(Work(), key="k")), "steps[1].key", "key the batch"),
    (Chain(*works(*range(101))), "nodes", "100 is the most"),
    (Chain(Work(), Batch([Work(), 8])), "steps[1].children[1].job", "not int"),
    (Graph(NODES, after={"a": ["x"]}), "after.a", "no node 'x'; known: a, b, c"),
    (Graph(NODES, after={"x": ["a"]}), "after.x", "no node 'x'"),
    (Graph(NODES, after={"a": "b"}), "after.a", "list"),
    (Graph(NODES, after={"a": [{}]}), "after.a", "list of node names"),
    (Graph(NODES, after={"a": [["b"]]}), "after.a", "list of node names"),
    (Graph(NODES, after={"a": None}), "after.a", "list of node names"),
    (Graph(NODES, after=[("a", "b")]), "after", "not list"),
    (Graph(NODES, after=None), "after", "not NoneType"),
    (Graph(NODES, after={1: ["a"]}), "after", "no text: 1"),
    (Graph([Work(n=1)]), "nodes", "not list"),
    (Graph({1: Work(n=1)}), "nodes", "no text: 1"),
    (Chain(Work(), Graph(works(1))), "steps[1].nodes", "not list"),
    (Graph(NODES, after={"a": ["a"]}), "after", "a -> a"),
    (Graph(NODES, after={"a": ["c"], "b": ["a"], "c": ["b"]}), "after", "in a circle: "),
    (Batch([Graph(NODES, after={"a": ["a"]})]), "children[0].after", "a -> a"),
    (Graph({"a": Unknown()}), "nodes.a.kind", "nobody.knows"),
    (deep(limits.MAX_BATCH_DEPTH + 1), ".".join(["children[0]"] * 8), "8 is the most"),
]


@pytest.mark.parametrize(("flow", "field", "problem"), BAD)
def test_what_is_wrong_is_named_and_nothing_is_written(flock, flow, field, problem):
    with pytest.raises(InputError) as caught:
        flock.client.start(flow, key="k")

    (violation,) = caught.value.violations
    assert violation.field == field
    assert problem in violation.problem
    assert flock.tide.jobs() == []
    assert flock.store.records == {}
    assert flock.store.held == {}


@pytest.mark.parametrize("rule", [-1, True, "3", 1.5])
@pytest.mark.parametrize("make", [at_least, tolerate])
def test_a_rule_takes_a_whole_number(make, rule):
    with pytest.raises(InputError, match="whole number"):
        make(rule)


def test_several_bad_children_are_named_together(flock):
    with pytest.raises(InputError) as caught:
        flock.client.start(Batch([Work(), *[None] * 50]))

    assert [violation.field for violation in caught.value.violations] == [f"children[{i}].job" for i in range(1, 11)]


@pytest.mark.parametrize(("option", "value"), [("key", "with space"), ("tenant", "#")])
def test_a_bad_key_or_tenant_is_named(flock, option, value):
    with pytest.raises(InputError, match=option):
        flock.client.start(Batch(works(1)), **{option: value})


def test_ten_thousand_children_are_the_most(flock):
    with pytest.raises(InputError, match=r"children\[10000\]: is one more than 10,000"):
        flock.client.start(Batch(works(*range(10_001))))
    half = works(*range(5_000))
    # The two inner batches are children, too.
    with pytest.raises(InputError, match=r"children\[1\]\.children\[4999\]: is one more than 10,000"):
        flock.client.start(Batch([Batch(half), Batch(half)]))
    assert flock.store.records == {}


def test_a_thousand_children_may_wait_for_another_node(flock):
    with pytest.raises(InputError, match=r"steps\[1\]\.children\[1000\]: is one more than 1,000 .* starts the batch"):
        flock.client.start(Chain(Work(), Batch(works(*range(1_001)))))
    flock.client.start(Chain(Work(), Batch(works(*range(1_000)))))


def test_a_thousand_edges_are_the_most(flock):
    names = [f"n{i}" for i in range(60)]
    nodes = {name: Work() for name in names}
    with pytest.raises(InputError, match="1,770 edges; 1,000 is the most"):
        flock.client.start(Graph(nodes, after={name: names[:i] for i, name in enumerate(names)}))


def test_a_job_hands_on_what_caused_its_batch_and_is_held_to_its_limit(flock):
    seen = {}

    def start(ctx):
        seen["batch"] = flock.client.start(Batch(works(2, 3), then=Plain(name="x")))
        seen["inner"] = flock.client.start(Chain(Work(n=4)))
        with pytest.raises(InputError, match="10,005"):
            flock.client.start(Batch(works(*range(9_998 + 4))))

    flock.does[1] = start
    job = flock.tide.run_one(Work(n=1), correlation_id="root")
    flock.tide.drain()

    envelopes = [one.envelope for one in flock.tide.submitted() if one.envelope.causation_id == job.ref.id]
    assert {(one.hops, one.correlation_id) for one in envelopes} == {(1, "root")}
    assert len(envelopes) == 4
