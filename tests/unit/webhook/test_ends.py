"""From the end of a job to the receiver, in the harness: every way a job can end, and every answer there is."""

import json
from datetime import timedelta

import pytest

from tidemill import JobArgs, JobRegistry, Lane, PermanentError, Retry, job, minutes, seconds
from tidemill.domain.duration import days, hours
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.lifecycle import State
from tidemill.domain.webhook.delivery import DELIVER_KIND, DELIVERY_RETRY, WebhookDelivery, body_of
from tidemill.domain.webhook_errors import EndpointExistsError, EndpointNotFoundError, RotationError
from tidemill.testing import Harness

URL = "https://hooks.example.com/orders"


class Place(JobArgs, kind="shop.place"):
    """How it ends."""

    end: str = "well"


class Quiet(JobArgs, kind="shop.quiet"):
    """Whose kind tells nobody."""


@job(Place, webhook="orders", retry=Retry(max_attempts=1))
def place(args, ctx):
    """End as asked."""
    if args.end == "dead":
        raise PermanentError("no stock")
    if args.end == "stop":
        ctx.checkpoint(1)
    return {"secret": "canary-result"}


@job(Quiet)
def quiet(args, ctx):
    """End well."""


REGISTRY = JobRegistry(place, quiet, webhooks=["orders", "audit"])


@pytest.fixture
def tide():
    with Harness(REGISTRY) as tide:
        tide.endpoint = tide.client.webhooks.create("orders", URL)
        yield tide


def told(tide):
    """What the receiver got, verified."""
    return [sent.message(tide.endpoint.secret) for sent in tide.receiver.sent]


def delivery(tide):
    (found,) = [one for one in tide.jobs() if one.kind == DELIVER_KIND]
    return found


def test_a_job_that_succeeds_is_told_at_once(tide):
    receipt = tide.client.submit(Place())
    tide.drain()

    (sent,), (message,) = tide.receiver.sent, told(tide)
    assert sent.url == URL
    assert message.type == "job.succeeded"
    assert message.data["job_id"] == receipt.job_id
    assert message.data["kind"] == "shop.place"
    assert message.data["state"] == "succeeded"
    assert message.id == delivery(tide).ref.id
    assert delivery(tide).state is State.SUCCEEDED


def test_neither_arguments_nor_results_are_told(tide):
    tide.client.submit(Place(end="well"))
    tide.drain()

    assert "canary" not in str(tide.receiver.sent)


def test_a_job_that_dies_is_told_with_its_reason(tide):
    tide.client.submit(Place(end="dead"))
    tide.drain()

    (message,) = told(tide)
    assert (message.type, message.data["reason"]) == ("job.dead", "permanent")
    assert message.data["error"]


def test_a_job_that_expires_is_told(tide):
    tide.client.submit(Place(), expires_in=seconds(60))
    tide.advance(minutes(2))
    tide.drain()

    assert told(tide)[0].type == "job.expired"


@pytest.mark.parametrize("delay", [minutes(5), days(2)])
def test_a_job_that_is_cancelled_while_it_waits_is_told_though_no_worker_meets_it(tide, delay):
    receipt = tide.client.submit(Place(), delay=delay)
    tide.client.cancel(receipt.job_id)
    tide.run_for(minutes(3))

    assert told(tide)[0].type == "job.cancelled"
    tide.run_for(days(3))
    assert len(tide.receiver.sent) == 1


def test_the_one_that_a_submit_names_is_told_instead_of_the_kinds(tide):
    tide.endpoint = tide.client.webhooks.create("audit", "https://audit.example.com/")
    tide.client.submit(Quiet(), webhook="audit")
    tide.client.submit(Place(), webhook="audit")
    tide.client.submit(Quiet())
    tide.drain()

    assert {sent.url for sent in tide.receiver.sent} == {"https://audit.example.com/"}
    assert len(told(tide)) == 2


def test_a_worker_that_dies_after_the_record_loses_no_webhook(tide):
    tide.client.submit(Place())
    tide.faults.crash_after("conclude")
    tide.run_for(minutes(30))

    assert len(told(tide)) == 1


def test_a_table_that_refuses_the_end_tells_nobody_until_it_is_written(tide):
    tide.faults.throttle("conclude", times=2)
    tide.client.submit(Place())
    tide.run_for(minutes(30))

    assert len(told(tide)) == 1


def test_a_delivery_that_could_not_be_sent_at_once_is_the_next_sweeps(tide):
    tide.client.submit(Place())
    tide.faults.throttle("send", times=1)
    tide.drain()
    assert tide.receiver.sent == []

    tide.run_for(minutes(2))

    assert len(told(tide)) == 1


def test_the_id_stays_over_all_attempts_and_the_time_does_not(tide):
    tide.receiver.answer(500, times=3)
    tide.client.submit(Place())
    tide.run_for(hours(1))

    messages = told(tide)
    assert len(messages) == 4
    assert len({message.id for message in messages}) == 1
    assert len({message.sent_at for message in messages}) == 4
    assert len({sent.body for sent in tide.receiver.sent}) == 1


def test_it_is_tried_for_three_days_and_then_dead_and_can_be_redriven(tide):
    tide.receiver.unreachable(times=12)
    tide.client.submit(Place())
    tide.run_for(days(4))

    sent = tide.receiver.sent
    assert len(sent) == 12
    assert timedelta(days=3) <= timedelta(seconds=sent[-1].at_s - sent[0].at_s) <= timedelta(days=3, hours=8)
    assert delivery(tide).state is State.DEAD

    tide.desk.redrive(delivery(tide).ref)
    tide.run_for(minutes(5))

    assert delivery(tide).state is State.SUCCEEDED
    assert len({message.id for message in told(tide)}) == 1


def test_retries_are_those_of_the_standard():
    assert DELIVERY_RETRY.delays[:6] == (seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10))


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_to_wait_is_left_alone_and_no_attempt_is_spent(tide, status):
    tide.receiver.answer(status, {"Retry-After": "120"})
    tide.client.submit(Place())
    tide.run_for(minutes(10))

    first, second = tide.receiver.sent
    assert 119 <= second.at_s - first.at_s <= 185
    assert delivery(tide).attempt == 1


def test_no_receiver_puts_a_delivery_off_for_longer_than_twelve_hours(tide):
    tide.receiver.answer(503, {"Retry-After": "31536000"})
    tide.client.submit(Place())
    tide.run_for(hours(13))

    assert len(tide.receiver.sent) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 502])
def test_anything_else_is_tried_again(tide, status):
    tide.receiver.answer(status)
    tide.client.submit(Place())
    tide.run_for(minutes(1))

    assert len(tide.receiver.sent) == 2
    (failure,) = tide.failures(delivery(tide))
    assert str(status) in failure.failure.message
    assert URL not in str(failure)


def test_secrets_are_exchanged_without_a_gap(tide):
    """A receiver with either secret believes every webhook of the overlap; afterwards the new one alone."""
    old = tide.endpoint.secret
    new = tide.client.webhooks.rotate("orders", overlap=hours(1)).secret
    tide.client.submit(Place())
    tide.drain()
    (during,) = tide.receiver.sent
    assert during.message(old) == during.message(new)

    with pytest.raises(RotationError):
        tide.client.webhooks.rotate("orders")

    tide.advance(hours(1))
    tide.client.submit(Place())
    tide.drain()
    after = tide.receiver.sent[-1]
    assert after.message(new)
    assert "," not in after.headers["webhook-signature"].partition(",")[2]


def test_a_secret_that_others_know_signs_no_more(tide):
    new = tide.client.webhooks.rotate("orders", overlap=seconds(0)).secret
    tide.client.submit(Place())
    tide.drain()

    assert len(tide.receiver.sent[0].headers["webhook-signature"].split(" ")) == 1
    assert tide.receiver.sent[0].message(new)


def test_the_next_attempt_goes_to_the_new_url(tide):
    tide.receiver.answer(500)
    tide.client.submit(Place())
    tide.drain()
    tide.client.webhooks.lead_to("orders", "https://new.example.com/")
    tide.run_for(minutes(1))

    assert [sent.url for sent in tide.receiver.sent] == [URL, "https://new.example.com/"]


@pytest.mark.parametrize("trouble", ["pause", "delete"])
def test_an_endpoint_that_is_paused_or_gone_gets_nothing_and_the_delivery_says_why(tide, trouble):
    getattr(tide.client.webhooks, trouble)("orders")
    tide.client.submit(Place())
    tide.drain()

    assert tide.receiver.sent == []
    (failure,) = tide.failures(delivery(tide))
    assert "Fix: `tidemill webhook" in failure.failure.message


def test_no_tenant_is_told_of_anothers_jobs(tide):
    tide.client.submit(Place(), tenant="acme")
    tide.drain()
    assert tide.receiver.sent == []

    tide.client.webhooks.create("orders", "https://acme.example.com/", tenant="acme")
    tide.client.submit(Place(), tenant="acme")
    tide.drain()

    assert [sent.url for sent in tide.receiver.sent] == ["https://acme.example.com/"]


def test_a_test_webhook(tide):
    receipt = tide.client.webhooks.test("orders")
    tide.drain()

    (message,) = told(tide)
    assert (message.type, message.id) == ("webhook.test", receipt.job_id)


def test_a_redriven_job_is_told_again_under_another_id(tide):
    receipt = tide.client.submit(Place(end="dead"))
    tide.drain()
    tide.desk.redrive(receipt.job.ref)
    tide.run_for(minutes(5))

    assert [message.data["generation"] for message in told(tide)] == [1, 2]
    assert len({message.id for message in told(tide)}) == 2


def test_the_largest_webhook_is_small():
    largest = WebhookDelivery(
        endpoint="e" * 32, type="job.cancelled", at=2**45, job_id="j" * 36, ended_kind="k" * 64, lane="l" * 32,
        generation=10**9, attempts=25, submitted_at=2**45, correlation_id="c" * 64, reason="r" * 64, error="e" * 64,
    )  # fmt: skip

    assert len(body_of(largest, "t" * 48)) < 1_024


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://169.254.169.254/", "https://localhost/", "https://[::1]/", "x"]
)
def test_a_url_that_webhooks_may_not_go_to_is_refused_and_nothing_is_written(tide, url):
    with pytest.raises(InputError, match="url: "):
        tide.client.webhooks.create("audit", url)
    with pytest.raises(EndpointNotFoundError):
        tide.client.webhooks.get("audit")
    with pytest.raises(InputError, match="url: "):
        tide.client.webhooks.lead_to("orders", url)
    assert tide.client.webhooks.get("orders").url == URL


def test_an_unknown_name_is_refused_wherever_it_stands(tide):
    with pytest.raises(InputError, match="no webhook 'ordres'; known: orders, audit"):
        tide.client.submit(Place(), webhook="ordres")
    with pytest.raises(InputError, match="no webhook 'ordres'"):
        tide.client.webhooks.create("ordres", URL)
    with pytest.raises(DefinitionError, match="names webhook 'orders', the registry has none"):
        JobRegistry(place)
    assert tide.jobs() == []


def test_a_second_endpoint_of_a_name_is_refused(tide):
    with pytest.raises(EndpointExistsError):
        tide.client.webhooks.create("orders", URL)


@pytest.mark.parametrize("names", ["orders", ["Orders"], ["a", "a"], [1], [f"a{i}" for i in range(33)]])
def test_names_that_are_none(names):
    with pytest.raises(DefinitionError, match="webhooks"):
        JobRegistry(quiet, webhooks=names)


def test_nothing_else_runs_in_the_lane_of_webhooks(tide):
    with pytest.raises(InputError, match="lane"):
        tide.client.submit(Quiet(), lane="webhooks")
    with pytest.raises(DefinitionError, match="lane 'webhooks'"):
        JobRegistry(quiet, lanes=(Lane("default"), Lane("webhooks")), webhooks=["a"])


def test_a_program_without_webhooks_has_neither_lane_nor_job():
    registry = JobRegistry(quiet)

    assert "webhooks" not in registry.lanes
    assert [definition.kind for definition in registry] == ["shop.quiet"]


def test_no_text_form_shows_a_secret_or_a_url(tide):
    endpoint = tide.client.webhooks.rotate("orders")
    shown = f"{endpoint} {endpoint!r} {[endpoint]}"

    assert endpoint.secret not in shown
    assert endpoint.previous not in shown
    assert URL not in shown


def test_no_log_line_shows_a_secret_or_a_url(tide):
    tide.receiver.answer(500)
    tide.receiver.answer(410)
    tide.client.submit(Place())
    tide.run_for(hours(1))

    lines = json.dumps([str(line) for line in tide.telemetry.lines])
    assert tide.endpoint.secret not in lines
    assert "hooks.example.com" not in lines
