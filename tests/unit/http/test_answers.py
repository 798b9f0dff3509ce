"""Answering jobs over HTTP, with credentials and with tokens."""

import json

import pytest

from tests.unit.http.gateway import IAM
from tidemill import days, hours, minutes
from tidemill.domain import limits
from tidemill.domain.answer_token import MAX_TOKEN_CHARS, Grant
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.waiting import Wait
from tidemill.service.tokens import AnswerTokens

UUID = "0190a5b0-0000-7000-8000-000000000000"
# As Firefox says it.
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
YES, NO = {"answer": {"granted": True}}, {"answer": {"granted": False}}
ACME = {"jwt": {"claims": {"tenant": "acme", "sub": "ada"}}}
POST, GET = "POST", "GET"
TOKEN_PATH, JOB_PATH = "/answers/{token}", "/jobs/{id}/answers/{name}"


@pytest.fixture
def ref(world):
    return world.submitted(kind="orders.release")


def asked(world, ref, **changes):
    """As the job leaves it that waits."""
    now = world.clock.now_ms()
    wait = Wait("approval", 1, now, now + milliseconds(hours(1)), "May order 7 go out?", **changes)
    world.answerer.waits.ask(ref, None, wait, 1)


WEEK = days(7)


def token_for(world, ref, *, to="", lasts=WEEK, generation=1, name="approval"):
    tokens = AnswerTokens(world.answerer.waits, world.clock)
    return tokens.make(Grant(ref, generation, name, tokens.expiry(lasts), to))


def path_of(ref, name="approval"):
    return f"/jobs/{ref.id}/answers/{name}"


# --- signed in -----------------------------------------------------------------------------------


def test_an_answer_is_given_and_shown_with_the_job(world, ref):
    asked(world, ref)
    answer = world.call(POST, path_of(ref), {**YES, "by": "Ada Lovelace"})

    assert answer.status == 200
    assert answer.json == {
        "job_id": ref.id,
        "name": "approval",
        "created": True,
        "answer": {"granted": True},
        "by": "Ada Lovelace",
        "means": "api",
        "at": answer.json["at"],
    }
    (wait,) = world.call(GET, f"/jobs/{ref.id}").json["waits"]
    assert (wait["status"], wait["by"], wait["answer"]) == ("answered", "Ada Lovelace", {"granted": True})
    (entry,) = world.trail.entries.values()
    assert (entry.actor, entry.action) == (IAM["iam"]["userArn"], "answer")
    assert "granted" not in "".join(world.telemetry.lines)


def test_the_same_again_is_200_and_another_is_409_with_who_and_when(world, ref):
    first = world.call(POST, path_of(ref), YES).json
    again = world.call(POST, path_of(ref), YES)
    other = world.call(POST, path_of(ref), NO)

    assert (again.status, again.json) == (200, {**first, "created": False})
    assert (other.status, other.json["code"]) == (409, "answered")
    assert (other.json["by"], other.json["at"], other.json["means"]) == (IAM["iam"]["userArn"], first["at"], "api")


def test_a_tenant_answers_its_own_jobs_as_the_subject_of_its_token(world):
    ref = world.submitted(kind="orders.release", tenant="acme")
    answer = world.call(POST, path_of(ref), YES, authorizer=ACME)

    assert (answer.status, answer.json["by"]) == (200, "token:ada")
    assert world.call(POST, path_of(ref), {**YES, "by": "bob"}, authorizer=ACME).fields == {"by"}
    assert world.call(POST, path_of(world.submitted(kind="orders.release")), YES, authorizer=ACME).status == 404


def test_a_tenant_does_not_see_an_operators_arn(world):
    ref = world.submitted(kind="orders.release", tenant="acme")
    world.call(POST, path_of(ref), {**YES, "tenant": "acme"})

    shown = [
        world.call(GET, f"/jobs/{ref.id}", authorizer=ACME).text,
        world.call(POST, path_of(ref), YES, authorizer=ACME).text,
        world.call(POST, path_of(ref), NO, authorizer=ACME).text,
        world.call(GET, f"/answers/{token_for(world, ref)}", authorizer=None).text,
        world.call(POST, f"/answers/{token_for(world, ref)}", NO, authorizer=None).text,
    ]
    assert all("operator" in text and "arn:" not in text for text in shown)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"answer": {"granted": "yes"}}, 422, {"answer.granted"}),
        ({"answer": None}, 422, {"answer"}),
        ({}, 422, {"answer"}),
        ({**YES, "more": 1}, 422, {"more"}),
        ({**YES, "by": ""}, 422, {"by"}),
        ({**YES, "by": "n" * 200}, 422, {"by"}),
        ({**YES, "tenant": "a b"}, 400, {"tenant"}),
        ([], 422, {"body"}),
        ("{", 400, {"body"}),
        ({"answer": {"granted": True, "n": "n" * limits.MAX_ANSWER_BYTES}}, 422, {"answer"}),
        ({"answer": "n" * 200_000}, 413, {"body"}),
    ],
)
def test_a_bad_body_is_refused_by_name(world, ref, body, status, fields):
    answer = world.call(POST, path_of(ref), body)

    assert (answer.status, answer.fields) == (status, fields)
    assert world.store.waits == {}


def test_a_name_that_the_kind_does_not_declare_is_refused(world, ref):
    answer = world.call(POST, path_of(ref, "aproval"), YES)

    assert (answer.status, answer.fields) == (422, {"name"})
    assert "it waits for approval" in answer.text


def test_a_job_that_is_over_or_not_there_takes_no_answer(world, ref):
    world.client.cancel(ref.id)

    assert world.call(POST, path_of(ref), YES).status == 409
    assert world.call(POST, path_of(JobRef("default", UUID)), YES).status == 404
    assert world.call(POST, path_of(JobRef("default", "x")), YES).status == 400


def test_after_the_timeout_it_is_410(world, ref):
    asked(world, ref)
    world.clock.advance(hours(1))

    assert world.call(POST, path_of(ref), YES).status == 410


# --- with a token --------------------------------------------------------------------------------


def test_a_token_shows_what_is_asked_and_decides_nothing(world, ref):
    asked(world, ref)
    shown = world.call(GET, f"/answers/{token_for(world, ref, to='cfo@example.org')}", authorizer=None)

    assert shown.status == 200
    assert (shown.json["asks"], shown.json["status"], shown.json["for"]) == (
        "May order 7 go out?",
        "open",
        "cfo@example.org",
    )
    assert world.answerer.waits.wait_of(ref, "approval").is_open


def test_a_token_answers_once_and_says_who_decided(world, ref):
    target = f"/answers/{token_for(world, ref, to='cfo@example.org')}"
    first = world.call(POST, target, YES, authorizer=None)
    again = world.call(POST, target, YES, authorizer=None)
    other = world.call(POST, target, NO, authorizer=None)

    assert (first.status, first.json["by"], first.json["means"]) == (200, "cfo@example.org", "link")
    assert (again.status, again.json) == (200, {**first.json, "created": False})
    assert (other.status, other.json["by"], other.json["at"]) == (409, "cfo@example.org", first.json["at"])
    (entry,) = world.trail.entries.values()
    assert entry.actor == "link:cfo@example.org"
    shown = world.call(GET, target, authorizer=None).json
    assert (shown["status"], shown["by"]) == ("answered", "cfo@example.org")
    assert "answer" not in shown


def test_a_token_is_in_no_log(world, ref):
    token = token_for(world, ref)
    for body in (YES, NO, {}):
        world.call(POST, f"/answers/{token}", body, authorizer=None)
    world.call(POST, f"/answers/{token[:-1]}", YES, authorizer=None)

    said = "".join(world.telemetry.lines)
    assert token[:40] not in said
    assert world.answerer.waits.keys
    assert not any(key.hex() in said for key in world.answerer.waits.keys.values())


def tampered(token):
    prefix, body, seal = token.split(".")
    yield from ("x", "a1", "a1..", "a1.e30.e30", "..", "a1.W10.", f"{body}.{seal}", "a" * (MAX_TOKEN_CHARS + 1))
    yield f"a2.{body}.{seal}"
    yield f"{prefix}.{body}.{seal[:-2]}AA"
    yield f"{prefix}.{body}.{seal[:-1]}"
    yield f"{prefix}.{body[:-4]}AAAA.{seal}"
    yield f"{prefix}.{body}.{seal}="
    yield f"{prefix}.{seal}.{body}"
    yield "a1.MTIz.MTIz"


def test_a_forged_token_reads_nothing_of_any_job(world, ref, monkeypatch):
    token = token_for(world, ref)
    forged = list(tampered(token))

    def fail(*_):
        raise AssertionError("a job was read")

    monkeypatch.setattr(world.store, "find", fail)
    monkeypatch.setattr(world.answerer.waits, "wait_of", fail)
    for one in forged:
        for method, body in ((GET, None), (POST, YES)):
            answer = world.call(method, f"/answers/{one}", body, authorizer=None)
            assert (answer.status, answer.json["code"]) in ((403, "answer_token"), (404, "no_route")), one


def test_another_jobs_or_names_or_generations_seal_does_not_fit(world, ref):
    other = world.submitted(kind="orders.release")
    seal = token_for(world, ref).rpartition(".")[2]
    for forged in (
        token_for(world, other),
        token_for(world, ref, generation=2),
        token_for(world, ref, name="other"),
        token_for(world, JobRef("acme", ref.id)),
        token_for(world, ref, lasts=days(8)),
        token_for(world, ref, to="eve"),
    ):
        mixed = f"{forged.rpartition('.')[0]}.{seal}"
        assert world.call(POST, f"/answers/{mixed}", YES, authorizer=None).status == 403
    assert world.store.waits == {}


def test_a_token_of_a_key_that_is_gone_is_refused_once_it_is_not_believed_any_more(world, ref):
    target = f"/answers/{token_for(world, ref)}"
    assert world.call(GET, target, authorizer=None).status == 200
    world.answerer.waits.keys.clear()
    world.clock.advance(minutes(6))

    assert world.call(GET, target, authorizer=None).status == 403


def test_keys_change_without_a_gap(world, ref):
    old = token_for(world, ref, lasts=days(365))
    world.clock.advance(days(40))
    new = token_for(world, ref)

    assert len(world.answerer.waits.keys) == 2
    assert world.call(GET, f"/answers/{old}", authorizer=None).status == 200
    assert world.call(GET, f"/answers/{new}", authorizer=None).status == 200


@pytest.mark.parametrize("method", [GET, POST])
def test_a_token_that_has_expired_is_410(world, ref, method):
    token = token_for(world, ref, lasts=hours(1))
    world.clock.advance(hours(1))

    answer = world.call(method, f"/answers/{token}", YES if method == POST else None, authorizer=None)
    assert (answer.status, answer.json["code"]) == (410, "answer_late")
    assert "has expired" in answer.json["detail"]


@pytest.mark.parametrize("method", [GET, POST])
def test_a_token_of_another_generation_is_410(world, ref, method):
    token = token_for(world, ref, generation=2)

    assert world.call(method, f"/answers/{token}", YES if method == POST else None, authorizer=None).status == 410


@pytest.mark.parametrize("method", [GET, POST])
def test_a_token_of_a_job_that_is_gone_is_404(world, method):
    token = token_for(world, JobRef("default", UUID))

    assert world.call(method, f"/answers/{token}", YES if method == POST else None, authorizer=None).status == 404


def test_a_token_says_nothing_that_its_holder_may_not_know(world, ref):
    shown = json.dumps(world.call(GET, f"/answers/{token_for(world, ref)}", authorizer=None).json)

    assert "order" not in shown.replace("orders.release", "")


# --- all statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [(POST, JOB_PATH), (GET, TOKEN_PATH), (POST, TOKEN_PATH)])
def test_every_documented_status_is_reached(world, monkeypatch, method, path):
    def target(ref, **token):
        return path_of(ref) if path == JOB_PATH else f"/answers/{token_for(world, ref, **token)}"

    def call(where, body=YES, **options):
        return world.call(method, where, body if method == POST else None, **options)

    ref, over, late = (world.submitted(kind="orders.release") for _ in range(3))
    asked(world, late)
    world.client.cancel(over.id)
    for where in (target(ref), target(over), target(JobRef("default", UUID)), f"{target(ref)}?x=1"):
        call(where)
    call(target(ref), NO)
    call(target(ref), {})
    call(target(ref), " " * 200_000)
    call(target(ref), "{}", headers={"content-type": "text/plain"})
    call(target(ref), authorizer={"jwt": {"claims": {}}} if path == JOB_PATH else None)
    call(f"{target(ref)[:-3]}AAA" if path == TOKEN_PATH else path_of(ref), authorizer=None)
    if method == GET:
        call(target(over), headers=BROWSER)
    short = target(late, lasts=minutes(5)) if path == TOKEN_PATH else target(late)
    world.clock.advance(hours(2))
    call(short)
    for error in (UnavailableError("find", "Throttled"), RuntimeError("secret")):
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "find", lambda *_, error=error: (_ for _ in ()).throw(error))
            call(target(ref))
    documented = {(method, path, status) for status in world.contract["paths"][path][method.lower()]["responses"]}
    assert {reached for reached in world.reached if reached[:2] == (method, path)} == documented
