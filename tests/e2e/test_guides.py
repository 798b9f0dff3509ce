"""The programs of the docs about time and flow do on a deployed stack what their pages say."""

import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from examples.demo.watch import wait_until
from examples.guide import album, approving, delayed, nightly, replying, runtime_schedules, saga_orders
from tests.e2e.ground import PATIENCE_S, Ground
from tidemill import State, hours, seconds
from tidemill.batches import BatchState
from tidemill.domain.job import JobRef
from tidemill.domain.tick import SCHEDULED_TIME, Tick

pytestmark = pytest.mark.slow
STACK = "guides"
OVER = (BatchState.SUCCEEDED, BatchState.FAILED, BatchState.CANCELLED)


@pytest.fixture(scope="module")
def guides(local, repository, tmp_path_factory):
    application = repository / "tests" / "e2e" / STACK
    sys.path.append(str(application / "functions"))
    from guides import registry

    return Ground.deployed(local, tmp_path_factory.mktemp(STACK), registry, STACK, application)


def result(ground, job_id, tenant="default"):
    assert wait_until(lambda: ground.client.get(job_id, tenant=tenant).state.is_final, PATIENCE_S)
    return ground.client.result(job_id, tenant)


# --- docs/delays.md ---------------------------------------------------------------------------------------


def test_a_reminder_comes_an_hour_before_and_not_before_that(guides):
    due = datetime.now(UTC) + seconds(3)
    job_id = delayed.plan(guides.client, due + hours(1))

    assert result(guides, job_id) == "Don't forget the dentist"
    assert guides.client.get(job_id).started_at >= due.timestamp() * 1000


def test_it_can_be_put_off_and_is_listed(guides):
    job_id = delayed.plan(guides.client, datetime.now(UTC) + hours(5))
    later = (datetime.now(UTC) + hours(6)).replace(microsecond=0)

    delayed.postpone(guides.client, job_id, later)

    assert later - hours(1) in delayed.planned(guides.client)
    guides.client.cancel(job_id)


def test_what_waits_for_second_thoughts_can_be_sent_now(guides):
    job_id = delayed.undo_window(guides.client)
    assert guides.client.get(job_id).state is State.QUEUED

    delayed.send_now(guides.client, job_id)

    assert result(guides, job_id) == "Don't forget the letter"


# --- docs/waiting-for-answers.md --------------------------------------------------------------------------


def test_a_result_is_answered_or_why_there_is_none(guides):
    assert replying.price_of(guides.client, "tea", time.sleep) == "300 cents"
    assert replying.price_of(guides.client, "unicorn", time.sleep) == "no price: permanent"


def test_an_order_goes_out_once_it_is_approved(guides):
    granted, refused = (guides.client.submit(approving.Release(order=order, cents=50_000)).job_id for order in (1, 2))
    for one in (granted, refused):
        assert wait_until(lambda one=one: guides.client.get(one).state is State.SCHEDULED, PATIENCE_S)

    guides.client.answer(granted, "approval", approving.Decision(granted=True))
    guides.client.answer(refused, "approval", approving.Decision(granted=False, note="too dear"))

    assert (result(guides, granted), result(guides, refused)) == ("shipped order 1", "refused: too dear")


# --- docs/schedules.md ------------------------------------------------------------------------------------


def test_what_a_schedule_sends_is_for_its_time(guides):
    target = guides.cloud.client("scheduler").get_schedule(GroupName=STACK, Name="books.month")["Target"]
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
    queue = guides.program.settings.lanes["default"].queue_url

    body = target["Input"].replace(SCHEDULED_TIME, f"{at:%Y-%m-%dT%H:%M:%SZ}")
    guides.program.clients.sqs.send_message(QueueUrl=queue, MessageBody=body)

    job_id = Tick("books.month", int(at.timestamp()) * 1000).job_id("acme", "books.close-day")
    assert wait_until(lambda: has(guides, job_id, "acme"), PATIENCE_S)
    assert result(guides, job_id, "acme") == f"closed fees for {at:%Y-%m-%d %H:%M}"


def test_one_that_never_runs_beside_itself_is_there_and_runs(guides):
    schedules = guides.client.schedules
    # The janitor makes its row within a minute.
    assert wait_until(lambda: any(row.ref.name == "stock.mirror" for row in schedules.page().rows), 2 * PATIENCE_S)

    receipt = schedules.trigger("stock.mirror")

    assert result(guides, receipt.job_id).startswith("mirrored at ")
    assert schedules.get("stock.mirror").plan.overlap == "queue_one"


def test_a_customer_subscribes_and_changes_their_mind(guides):
    version = runtime_schedules.subscribe(guides.client, "ada", "acme")
    assert runtime_schedules.about_stock(guides.client, "ada", "acme", version) == version + 1

    receipt = guides.client.schedules.trigger("report.ada", tenant="acme")

    assert result(guides, receipt.job_id, "acme").startswith("stock of ada for ")


# --- docs/batches.md --------------------------------------------------------------------------------------


def finished(ground, batch_id):
    assert wait_until(lambda: ground.client.batches.get(batch_id).state in OVER, PATIENCE_S)
    return ground.client.batches.get(batch_id)


def test_an_album_is_published_once(guides):
    batch_id = album.publish(guides.client, 7, ["a", "b", "c"])
    assert album.publish(guides.client, 7, ["a", "b", "c"]) == batch_id

    view = finished(guides, batch_id)

    assert (view.state, view.succeeded) == (BatchState.SUCCEEDED, 3)
    assert [one.value for one in guides.client.batches.results(batch_id)] == ["small/a", "small/b", "small/c"]


@pytest.mark.parametrize(("start", "size"), [(nightly.nightly, 3), (nightly.partial_nightly, 5)])
def test_a_night_goes_in_order(guides, start, size):
    view = finished(guides, start(guides.client, "monday"))

    assert (view.state, view.succeeded) == (BatchState.SUCCEEDED, size)


# --- docs/sagas.md ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cents", "ends"), [(500, "succeeded"), (50_000, "compensated")])
def test_an_order_is_placed_as_a_whole_or_not_at_all(guides, cents, ends):
    sagas = guides.program.sagas
    saga = sagas.start(saga_orders.place_order, saga_orders.OrderArgs(order=f"o{cents}", cents=cents))

    assert wait_until(lambda: sagas.get("orders.place", saga.saga_id).state.is_final, 2 * PATIENCE_S)
    assert sagas.get("orders.place", saga.saga_id).state == ends


def has(ground, job_id, tenant):
    return ground.job(JobRef(tenant, job_id)) is not None
