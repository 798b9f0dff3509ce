"""A person answers a job that waits on the deployed stack: a link, a page, a form, and nothing else."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from trials.asking import Ask

from examples.demo.watch import wait_until
from tests.browsing import BROWSER, SUBMITS, Page
from tests.e2e.ground import PATIENCE_S
from tidemill import State
from tidemill.local.addresses import local_address

pytestmark = pytest.mark.slow


def browse(url, body=None):
    """Status, headers and page, as a browser without scripts gets them."""
    data = None if body is None else body.encode()
    request = Request(url, data, headers=BROWSER if data is None else SUBMITS)  # noqa: S310 - the stack's own address
    try:
        with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - the same
            return answer.status, answer.headers, Page(answer.read().decode())
    except HTTPError as error:
        with error:
            return error.code, error.headers, Page(error.read().decode())


def test_a_job_waits_is_answered_on_a_page_and_goes_on(ground):
    diary = ground.diary("asking")
    ref = ground.client.submit(Ask(diary=str(diary.path), name="order 7")).job.ref
    assert diary.has("link")
    link = diary.lines("link")[0]["url"]
    # The worker made it without being told by anybody but the deployment. Browsers know names below localhost.
    assert ".execute-api.localhost:" in link
    url = local_address(link, ground.cloud.endpoint)
    assert wait_until(lambda: ground.job(ref).state is State.SCHEDULED, PATIENCE_S)

    status, headers, page = browse(url)
    page.check()
    assert (status, page.heading) == (200, "May order 7 go out?")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert browse(url[:-3] + "AAA")[0] == 403
    assert browse(url, "answer.granted=maybe")[0] == 422
    assert ground.job(ref).state is State.SCHEDULED

    filled_in = page.filled_in(answer__granted="true", answer__carrier='"lorry"', answer__note="careful: \u00fc")
    status, _, page = browse(url, filled_in)
    assert (status, page.heading) == (200, "This is answered")
    assert ground.ended(ref).state is State.SUCCEEDED
    assert ground.client.result(ref.id) == "True by lorry: careful: \u00fc"
    assert len(diary.lines("link")) == 1

    # A second use changes nothing, and says so.
    assert browse(url, filled_in)[0] == 200
    status, _, page = browse(url, filled_in.replace("true", "false"))
    assert status == 409
    assert "cfo@example.org" in page.text
    assert browse(url)[2].heading == "This is answered"
    (wait,) = ground.api.get(f"/jobs/{ref.id}").body["waits"]
    assert (wait["by"], wait["means"]) == ("cfo@example.org", "link")


def test_whoever_does_not_answer_is_reminded_and_then_it_is_too_late(ground):
    diary = ground.diary("asking in vain")
    # A reminder that comes after the timeout is left out: a busy machine has some seconds to be in time.
    ref = ground.client.submit(Ask(diary=str(diary.path), name="order 8", timeout_s=20, remind_s=2)).job.ref
    assert diary.has("link")

    def is_over():
        ground.sweep()
        return ground.job(ref).state.is_final

    assert wait_until(is_over, PATIENCE_S)
    assert ground.client.result(ref.id) == "nobody answered"
    status, _, page = browse(local_address(diary.lines("link")[0]["url"], ground.cloud.endpoint))
    assert (status, page.heading) == (410, "It is too late to answer")
    assert len(diary.lines("reminder")) == 1
