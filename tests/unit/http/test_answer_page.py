"""The page behind a link: a person answers on it, without a script, and nothing of it leads anywhere else."""

import base64
import hashlib
import json
import re
from urllib.parse import urlencode

import pytest
from pydantic import Field

from tests.browsing import BROWSER, SUBMITS, Page
from tests.unit.http.conftest import World
from tests.unit.http.gateway import make_event
from tests.unit.http.test_answers import NO, YES, asked, token_for
from tidemill import JobArgs, JobRegistry, hours, job, minutes
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.waiting import Wait

UUID = "0190a5b0-0000-7000-8000-000000000000"
EVIL = "\"'><script>alert(1)</script>&\u202e"


@pytest.fixture
def ref(world):
    return world.submitted(kind="orders.release")


def get(world, token, **headers):
    return world.call("GET", f"/answers/{token}", authorizer=None, headers={**BROWSER, **headers})


def post(world, token, body, **headers):
    return world.call("POST", f"/answers/{token}", body, authorizer=None, headers={**SUBMITS, **headers})


def page_of(answer):
    page = Page(answer.text)
    page.check()
    return page


def test_a_link_shows_who_asks_what_and_decides_nothing(world, ref):
    asked(world, ref)
    token = token_for(world, ref, to="cfo@example.org")
    answers = [get(world, token) for _ in range(3)]
    page = page_of(answers[0])

    assert {answer.status for answer in answers} == {200}
    assert page.heading == "May order 7 go out?" == page.title
    for said in ("cfo@example.org", "orders.release", ref.id, "Answer until", "UTC", "Granted", "Yes", "No"):
        assert said in page.text
    assert page.fields == {"answer.granted"}
    assert world.answerer.waits.wait_of(ref, "approval").is_open
    assert world.trail.entries == {}


def test_a_person_answers_and_is_told_what_was_answered_by_whom_and_when(world, ref):
    asked(world, ref)
    token = token_for(world, ref, to="cfo@example.org")
    form = page_of(get(world, token))
    answer = post(world, token, form.filled_in(answer__granted="true"))
    page = page_of(answer)

    assert answer.status == 200
    for said in ("This is answered", "Granted", "Yes", "cfo@example.org", "UTC"):
        assert said in page.text
    assert page.fields == set()
    wait = world.answerer.waits.wait_of(ref, "approval")
    assert (json.loads(wait.given.value), wait.given.means) == ({"granted": True}, "link")
    (entry,) = world.trail.entries.values()
    assert entry.actor == "link:cfo@example.org"


def test_whoever_sends_it_again_sees_the_same_and_another_answer_is_not_taken(world, ref):
    token = token_for(world, ref, to="cfo@example.org")
    yes = page_of(get(world, token)).filled_in(answer__granted="true")
    first, again, other = (post(world, token, body) for body in (yes, yes, yes.replace("true", "false")))

    assert (first.status, again.status, other.status) == (200, 200, 409)
    assert again.text == first.text
    assert "What was decided first stands" in page_of(other).text
    assert "cfo@example.org" in other.text
    assert "Yes" in page_of(get(world, token)).text


def test_another_link_shows_that_it_is_answered_and_not_what(world, ref):
    mine, others, nobodys = (token_for(world, ref, to=to) for to in ("cfo@example.org", "ceo@example.org", ""))
    post(world, mine, "answer.granted=true")

    for token in (others, nobodys):
        page = page_of(get(world, token))
        assert "This is answered" in page.text
        assert "cfo@example.org" in page.text
        assert "Yes" not in page.text


def test_what_is_filled_in_wrongly_comes_back_with_what_was_wrong(world, ref):
    token = token_for(world, ref)
    for body in ("", "answer.granted=maybe", "answer.granted="):
        answer = post(world, token, body)
        page = page_of(answer)

        assert answer.status == 422
        assert page.title.startswith("Not taken")
        assert "The answer was not taken" in page.text
        marks = page.control("answer.granted").attributes
        assert (marks["autofocus"], marks["aria-invalid"]) == (True, "true")
    assert world.store.waits == {}


class Checked(JobArgs):
    """Fields of each sort."""

    amount: int = Field(ge=1, le=5, description=EVIL)
    note: str = Field(default="", max_length=300, title=EVIL)
    place: str = Field(default="here", max_length=20)
    size: float | None = None
    on: bool | None = None


class Check(JobArgs, kind="page.check"):
    pass


@pytest.fixture
def checked():
    world = World(JobRegistry(job(Check, answers={"check": Checked})(lambda args, context: None)))
    world.ref = world.submitted(kind="page.check")
    now = world.clock.now_ms()
    world.answerer.waits.ask(world.ref, None, Wait("check", 1, now, now + 3_600_000, EVIL), 1)
    world.token = token_for(world, world.ref, name="check", to="'\"<b>&")
    return world


def test_everything_from_outside_is_escaped(checked):
    page = page_of(get(checked, checked.token))
    again = post(checked, checked.token, page.filled_in(answer__amount="9", answer__note=EVIL, answer__place=EVIL[:20]))
    redone = page_of(again)

    assert page.heading == EVIL
    assert again.status == 422
    assert redone.control("answer.note").text.removeprefix("\n") == EVIL
    assert redone.control("answer.place").attributes["value"] == EVIL[:20]
    given = post(checked, checked.token, redone.filled_in(answer__amount="5"))
    assert given.status == 200
    assert EVIL in page_of(given).text
    assert json.loads(checked.answerer.waits.wait_of(checked.ref, "check").given.value) == {
        "amount": 5,
        "note": EVIL,
        "place": EVIL[:20],
    }


def test_a_field_says_its_bounds_and_its_default(checked):
    page = page_of(get(checked, checked.token))

    amount, note = page.control("answer.amount"), page.control("answer.note")
    assert {name: amount.attributes[name] for name in ("type", "min", "max", "required")} == {
        "type": "number",
        "min": "1",
        "max": "5",
        "required": True,
    }
    assert (note.tag, note.attributes["maxlength"]) == ("textarea", "300")
    assert page.control("answer.place").attributes["value"] == "here"
    assert "Leave open" in page.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("answer.granted=%ff", 400),
        ("answer.granted=true&answer.granted=false", 400),
        ("&".join(f"a{number}=1" for number in range(300)), 400),
        ("answer.granted=" + "x" * 200_000, 413),
        ("answer.granted=true&more=1", 422),
        (b"answer.granted=true", 200),
        ("answer.granted=true;x", 422),
    ],
)
def test_a_form_from_somewhere_else_is_refused(world, ref, body, status):
    assert post(world, token_for(world, ref), body).status == status


def test_what_can_not_be_answered_is_a_plain_page_with_its_status(world, ref, monkeypatch):
    over, late = (world.submitted(kind="orders.release") for _ in range(2))
    asked(world, late)
    world.client.cancel(over.id)
    token = token_for(world, ref)
    found = {
        403: [get(world, f"{token[:-3]}AAA"), post(world, f"{token[:-3]}AAA", "answer.granted=true")],
        404: [get(world, token_for(world, JobRef("default", UUID))), get(world, "%22x")],
        409: [get(world, token_for(world, over)), post(world, token_for(world, over), "answer.granted=true")],
        415: [post(world, token, "x", **{"content-type": "text/plain"})],
        400: [world.call("GET", f"/answers/{token}?x=1", authorizer=None, headers=BROWSER)],
    }
    short, slow = token_for(world, ref, lasts=minutes(5)), token_for(world, late)
    world.clock.advance(hours(1))
    found[410] = [get(world, short), post(world, short, "answer.granted=true")]
    found[410] += [get(world, slow), post(world, slow, "answer.granted=true")]
    found[410] += [get(world, token_for(world, ref, generation=2))]
    for status, error in ((503, UnavailableError("find", "Throttled")), (500, RuntimeError("secret"))):
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "find", lambda *_, error=error: (_ for _ in ()).throw(error))
            found[status] = [get(world, token), post(world, token, "answer.granted=true")]

    for status, answers in found.items():
        for answer in answers:
            page = page_of(answer)
            assert answer.status == status, page.text
            assert page.fields == set()
            assert "secret" not in answer.text
    assert found[503][0].headers["Retry-After"] == "2"
    assert world.store.waits.get(ref) is None


def test_a_page_runs_nothing_loads_nothing_and_is_kept_by_nobody(world, ref):
    token = token_for(world, ref)
    answers = [get(world, token), post(world, token, ""), post(world, token, "answer.granted=true"), get(world, "a1.x")]

    for answer in answers:
        page = Page(answer.text)
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        seal = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert answer.headers["Content-Security-Policy"] == (
            f"default-src 'none'; style-src 'sha256-{seal}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert "url(" not in style
        assert "@import" not in style
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "http" not in page.text
        # A screenshot or a saved page gives nobody the right to answer.
        assert token not in answer.text


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html, application/json;q=0.9", True),
        ("TEXT/HTML", True),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("text/html;level=1", True),
        (",;,", False),
    ],
)
def test_programs_get_json_as_before(world, ref, accept, is_page):
    token, headers = token_for(world, ref), {} if accept is None else {"accept": accept}
    shown = world.call("GET", f"/answers/{token}", authorizer=None, headers=headers)
    refused = world.call("GET", f"/answers/{token[:-3]}AAA", authorizer=None, headers=headers)
    given = world.call("POST", f"/answers/{token}", YES, authorizer=None, headers=headers)
    other = world.call("POST", f"/answers/{token}", NO, authorizer=None, headers=headers)

    assert [answer.status for answer in (shown, refused, given, other)] == [200, 403, 200, 409]
    assert {answer.is_page for answer in (shown, refused, given, other)} == {is_page}
    assert shown.headers["Vary"] == given.headers["Vary"] == "Accept"


def test_a_program_may_send_a_form_and_other_routes_have_no_pages(world, ref):
    form = {"content-type": SUBMITS["content-type"]}
    answer = world.call(
        "POST", f"/answers/{token_for(world, ref)}", "answer.granted=true", authorizer=None, headers=form
    )
    bad = world.call("POST", f"/answers/{token_for(world, ref)}", "answer.granted=1", authorizer=None, headers=form)

    assert (answer.status, answer.json["answer"]) == (200, {"granted": True})
    assert (bad.status, bad.fields) == (422, {"answer.granted"})
    assert world.call("GET", f"/jobs/{UUID}", headers=BROWSER).json["code"] == "job_not_found"
    assert world.call("POST", "/jobs", "kind=x", headers=form).status == 415


def test_a_page_is_in_no_log(world, ref):
    token = token_for(world, ref)
    get(world, token)
    post(world, token, urlencode({"answer.granted": "private"}))
    post(world, token, "answer.granted=true")

    said = "".join(world.telemetry.lines)
    assert "private" not in said
    assert token[:40] not in said
    assert "request_refused" in said


def test_whatever_is_sent_is_answered(world, ref):
    """No header of a browser's makes it fail."""
    token = token_for(world, ref)
    for accept in ("text/html;", "text/html;q", "text/html;q=;;", "text/html,\u00e9", ";q=1,text/html"):
        raw = world.api.resolve(make_event("GET", f"/answers/{token}", headers={"accept": accept}), None)
        assert raw["statusCode"] == 200
