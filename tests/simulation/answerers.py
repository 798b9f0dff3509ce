"""Those who answer jobs, each in a process of its own: early, late, twice, and again until they are told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.simulation.jobs.answered import Decision
from tests.simulation.watchers.answers import Answers, Token
from tests.simulation.watchers.invariants import Violation
from tidemill.domain.answer_errors import AnswerLateError, AnswerTokenError
from tidemill.domain.errors import JobNotFoundError, TidemillError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.answering import Answered, Reply
from tidemill.service.tokens import AnswerTokens

if TYPE_CHECKING:
    from tests.simulation.world import World

_TRIES: Final = 6
# From when a job asked: while it parks, while it waits, and after a sweep or two.
_AFTER_MS: Final = (0, 1, 2, 5, 30, 3_000, 60_000, 200_000)
# From the end of a wait: somebody else's clock may be half a minute wrong.
_AROUND_MS: Final = (-130_000, -61_000, -2_000, -5, 0, 5, 2_000, 31_000, 61_000)
# How often a decision is one that somebody made before.
_SHARE_SAME: Final = 0.3
_SHARE_FORGED: Final = 0.05


class Answerers:
    """Starts a process for each answer.

    Attributes:
        share: how often somebody answers where they are asked.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._answers = world.part(Answers)
        self._client = world.deployment.program.client
        self._came = 0
        self._tokens_of: dict[str, list[Token]] = {}
        self._marks: dict[tuple[str, str], int] = {}
        self.share = 1.0
        self._answers.on_asked.append(self._asked)
        self._answers.on_sent.append(self._sent)
        self._answers.on_reopened.append(self._reopened)

    def early(self, number: int, name: str, at_ms: int, *, times: int = 1) -> None:
        """Somebody answers a job at this time, whatever it does; `times` people have the same idea at once."""
        world = self._world

        def come() -> None:
            job = next((job for job, accepted in world.ledger.accepted.items() if accepted == number), None)
            for _ in range(times if job is not None else 0):
                self._come(str(job), name)

        world.later(at_ms, come)

    def _asked(self, job: str, name: str, ends_at: int) -> None:
        """A job begins to wait: one answer, two, or none."""
        world, rng = self._world, self._world.rng
        while rng.random() < self.share * 0.5:
            near_end = rng.random() < 0.4
            at_ms = ends_at + rng.choice(_AROUND_MS) if near_end else world.scheduler.now_ms + rng.choice(_AFTER_MS)
            world.later(max(at_ms, world.scheduler.now_ms), lambda: self._come(job, name))

    def _sent(self, token: Token) -> None:
        """Somebody has a token, and uses it once, twice or never."""
        self._tokens_of.setdefault(token.job, []).append(token)
        world, rng = self._world, self._world.rng
        while rng.random() < self.share * 0.6:
            at_ms = world.scheduler.now_ms + rng.choice((*_AFTER_MS, 25_000, 600_000))
            world.later(at_ms, lambda: self._come(token.job, token.name, token))

    def _reopened(self, job: str) -> None:
        """A job runs anew, and somebody has the token of an earlier generation."""
        world, rng = self._world, self._world.rng
        for token in self._tokens_of.get(job, ()):
            if rng.random() < self.share * 0.5:
                world.later(
                    world.scheduler.now_ms + rng.choice(_AFTER_MS),
                    lambda token=token: self._come(job, token.name, token),
                )

    def _come(self, job: str, name: str, token: Token | None = None) -> None:
        self._came += 1
        by = f"answerer-{self._came}"
        self._world.start(by, lambda: self._insist(job, name, by, token), role="client")

    def _insist(self, job: str, name: str, by: str, token: Token | None) -> None:
        """As the docs ask: the same again until there is an answer."""
        mark, rng = self._mark(job, name), self._world.rng
        if token is not None and rng.random() < _SHARE_FORGED:
            self._forge(token)
        for _ in range(_TRIES):
            try:
                answered = self._with(token, mark, by) if token else self._answer(job, name, mark, by)
            except UnavailableError:
                self._world.scheduler.sleep(rng.choice((500, 2_000, 30_000)))
                continue
            except AnswerLateError:
                self._answers.late(job, name, token)
            except JobNotFoundError as error:
                self._world.tell("not answered", job, error.code)
            except TidemillError as error:
                self._answers.refused(job, name, mark, error.code)
            else:
                self._answers.accepted(job, name, mark, by, is_new=answered.is_new, token=token)
            return

    def _answer(self, job: str, name: str, mark: int, by: str) -> Answered:
        tenant, _, job_id = job.partition("#")
        answerer = replace(self._client.answerer, actor=lambda: "a program")
        client = replace(self._client, answerer=answerer)
        return client.answer(job_id, name, Decision(mark=mark), tenant=tenant, by=by)

    def _with(self, token: Token, mark: int, by: str) -> Answered:
        """As the API does it: what the token grants is answered."""
        try:
            grant = self._tokens().read(token.text)
        except AnswerTokenError:
            raise Violation("I28", f"a token of {token.job} is not believed") from None
        ref = JobRef(*token.job.split("#"))
        if (grant.ref, grant.name, grant.generation) != (ref, token.name, token.generation):
            raise Violation("I28", f"a token of {token.job} is for {grant}")
        value = Decision(mark=mark).model_dump(mode="json")
        reply = Reply(grant.ref, grant.name, value, "link", f"link:{by}", by, generation=grant.generation)
        return self._client.answerer.answer(reply)

    def _forge(self, token: Token) -> None:
        """Nobody believes a token that was changed."""
        place = self._world.rng.randrange(4, len(token.text) - 1)
        changed = "A" if token.text[place] != "A" else "B"
        try:
            self._tokens().read(token.text[:place] + changed + token.text[place + 1 :])
        except (AnswerTokenError, UnavailableError):
            return
        raise Violation("I28", f"a forged token of {token.job} is believed")

    def _tokens(self) -> AnswerTokens:
        """Those of a process that has read no key yet."""
        return AnswerTokens(self._client.answerer.waits, self._client.answerer.clock)

    def _mark(self, job: str, name: str) -> int:
        """A decision: sometimes the one that somebody made before."""
        if (job, name) not in self._marks or self._world.rng.random() >= _SHARE_SAME:
            self._marks[job, name] = self._world.next_number()
        return self._marks[job, name]
