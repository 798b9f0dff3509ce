"""Looking after endpoints: what it leaves in the trail, and what a lost answer does to it."""

import pytest

from tidemill import JobRegistry, seconds
from tidemill.domain.audit import Outcome
from tidemill.domain.duration import hours
from tidemill.domain.errors import UnavailableError
from tidemill.domain.webhook.signing import secret_of
from tidemill.domain.webhook_errors import EndpointExistsError, EndpointNotFoundError, RotationError
from tidemill.testing import Harness

URL, OTHER = "https://hooks.example.com/orders", "https://new.example.com/"
SECRET = secret_of(bytes(range(32)))


@pytest.fixture
def tide():
    with Harness(JobRegistry(webhooks=["orders"])) as tide:
        yield tide


@pytest.fixture
def desk(tide):
    return tide.client.webhooks


def entries(tide):
    """What was done, the oldest first."""
    return list(reversed(tide.desk.trail().entries))


def test_every_change_leaves_its_entry(tide, desk):
    for change in (
        lambda: desk.create("orders", URL, tenant="acme"),
        lambda: desk.lead_to("orders", OTHER, "acme"),
        lambda: desk.rotate("orders", overlap=hours(1), tenant="acme"),
        lambda: desk.pause("orders", "acme"),
        lambda: desk.resume("orders", "acme"),
        lambda: desk.delete("orders", "acme"),
    ):
        change()
        tide.advance(seconds(1))

    assert [(one.action, one.counts) for one in entries(tide)] == [
        ("webhook.create", {"created": 1}),
        ("webhook.url", {"changed": 1}),
        ("webhook.rotate", {"changed": 1}),
        ("webhook.pause", {"changed": 1}),
        ("webhook.resume", {"changed": 1}),
        ("webhook.delete", {"deleted": 1}),
    ]
    assert {(one.actor, one.tenant, one.chosen["endpoint"]) for one in entries(tide)} == {("tester", "acme", "orders")}
    assert {one.outcome for one in entries(tide)} == {Outcome.DONE}
    assert entries(tide)[2].chosen["overlap"] == "1:00:00"


def test_no_entry_has_a_url_or_a_secret(tide, desk):
    old = desk.create("orders", URL).secret
    desk.lead_to("orders", OTHER)
    new = desk.rotate("orders").secret

    text = repr(entries(tide))
    assert not [told for told in (URL, OTHER, "example.com", old, new, "whsec_") if told in text]


def test_what_changes_nothing_leaves_none(tide, desk):
    desk.create("orders", URL)
    desk.pause("orders")
    before = entries(tide)

    desk.pause("orders")
    desk.lead_to("orders", URL)
    desk.get("orders")
    for refused in (lambda: desk.pause("orders", "acme"), lambda: desk.delete("orders", "acme")):
        with pytest.raises(EndpointNotFoundError):
            refused()

    assert entries(tide) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.lead_to("orders", OTHER),
        lambda desk: desk.rotate("orders"),
        lambda desk: desk.pause("orders"),
        lambda desk: desk.delete("orders"),
        lambda desk: desk.create("orders", URL, tenant="acme"),
    ],
)
def test_where_the_trail_can_not_be_written_nothing_is_changed(tide, desk, change):
    made = desk.create("orders", URL)
    desk.auditor.trail.outage = UnavailableError("audit", "Throttled")

    with pytest.raises(UnavailableError):
        change(desk)

    assert desk.get("orders") == made
    with pytest.raises(EndpointNotFoundError):
        desk.get("orders", "acme")


def test_a_rotation_whose_answer_is_lost_still_answers_the_secret_that_signs(tide, desk):
    old = desk.create("orders", URL).secret
    tide.faults.lose_answer("change_endpoint")

    new = desk.rotate("orders", overlap=hours(1))

    assert desk.get("orders") == new
    assert (new.secret != old, new.previous) == (True, old)
    assert entries(tide)[-1].outcome is Outcome.DONE


def test_a_create_whose_answer_is_lost_still_answers_the_secret_that_signs(tide, desk):
    tide.faults.lose_answer("create_endpoint")

    assert desk.create("orders", URL) == desk.get("orders")


@pytest.mark.parametrize("call", ["create_endpoint", "change_endpoint"])
def test_what_was_not_written_is_not_answered(tide, desk, call):
    made = desk.create("orders", URL) if call == "change_endpoint" else None
    tide.faults.throttle(call)

    with pytest.raises(UnavailableError):
        desk.create("orders", URL) if made is None else desk.rotate("orders")

    if made is not None:
        assert desk.get("orders") == made


def test_a_rotation_to_a_named_secret_may_be_repeated(tide, desk):
    """Every answer of the first was lost, and it was given again: the receiver's old secret still signs."""
    old = desk.create("orders", URL).secret
    first = desk.rotate("orders", overlap=hours(1), secret=SECRET)
    tide.advance(seconds(60))

    assert desk.rotate("orders", overlap=hours(1), secret=SECRET) == first
    assert desk.get("orders").previous == old
    with pytest.raises(RotationError):
        desk.rotate("orders")


def test_an_overlap_of_none_ends_the_old_secret_even_if_the_new_one_is_there(tide, desk):
    desk.create("orders", URL)
    desk.rotate("orders", secret=SECRET)

    ended = desk.rotate("orders", overlap=seconds(0), secret=SECRET)

    assert (ended.secret, ended.previous) == (SECRET, None)
    assert desk.rotate("orders", overlap=seconds(0), secret=SECRET) == ended


def test_a_create_with_a_named_secret_may_be_repeated_and_changes_nothing(tide, desk):
    made = desk.create("orders", URL, secret=SECRET)
    tide.advance(seconds(60))

    assert desk.create("orders", URL, secret=SECRET) == made
    for other in ({"url": OTHER, "secret": SECRET}, {"url": URL}):
        with pytest.raises(EndpointExistsError):
            desk.create("orders", **other)
    assert desk.get("orders") == made
