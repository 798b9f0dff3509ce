"""What a test says of its jobs. Plain functions: they raise AssertionError and show what is there instead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack, overload

from tidemill.domain.args import JobArgs
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import AttemptFailure
from tidemill.domain.result import encode_result
from tidemill.testing.harness import Harness
from tidemill.testing.naming import JobLike
from tidemill.testing.story import describe
from tidemill.testing.submitted import Submitted

A = TypeVar("A", bound=JobArgs)
# What no result equals.
_ANYTHING: Final = object()


class Where(TypedDict, total=False):
    """What else is known of a submitted job, as keyword arguments: each must be equal."""

    tenant: str
    lane: str
    key: str | None
    delay: timedelta


@overload
def assert_submitted(
    tide: Harness,
    args: type[A] | A,
    match: Mapping[str, object] | None = None,
    *,
    times: int | None = None,
    **where: Unpack[Where],
) -> Submitted[A]: ...
@overload
def assert_submitted(
    tide: Harness,
    args: str,
    match: Mapping[str, object] | None = None,
    *,
    times: int | None = None,
    **where: Unpack[Where],
) -> Submitted[Any]: ...
def assert_submitted(
    tide: Harness,
    args: type[JobArgs] | JobArgs | str,
    match: Mapping[str, object] | None = None,
    *,
    times: int | None = None,
    **where: Unpack[Where],
) -> Submitted[Any]:
    """Such a job was submitted, whatever became of it since. Answers the first one.

    Arguments:
        args: the arguments' class or kind, or arguments, which must be equal.
        match: what the arguments' JSON must contain, at any depth; a list must be equal.
        where: tenant, lane, key, delay.
        times: there must be exactly so many.

    Raises:
        AssertionError: there is none, or another number; the message lists what was submitted.
    """
    wanted, found = _wanted(args, match, where), _found(tide, args, match, where)
    if not found or (times is not None and len(found) != times):
        count = f"{len(found)} times" if found else "not"
        often = "" if times is None else f", and should have been {times} times"
        raise AssertionError(f"{wanted} was {count} submitted{often}\n{_listed(tide)}")
    return found[0]


def refute_submitted(
    tide: Harness,
    args: type[JobArgs] | JobArgs | str,
    match: Mapping[str, object] | None = None,
    **where: Unpack[Where],
) -> None:
    """No such job was submitted. Arguments as for `assert_submitted`; the fewer, the more is ruled out.

    Raises:
        AssertionError: there is one.
    """
    found = _found(tide, args, match, where)
    if found:
        raise AssertionError(f"{_wanted(args, match, where)} was submitted: {found[0]}\n{_listed(tide)}")


def assert_succeeded(tide: Harness, job: JobLike, result: object = _ANYTHING) -> Job:
    """The job succeeded. Answers its record.

    Arguments:
        result: what it must have returned: as JSON makes it, or a value whose JSON must be equal.

    Raises:
        AssertionError: it did not, or returned something else.
    """
    record = assert_state(tide, job, State.SUCCEEDED)
    if result is not _ANYTHING:
        returned = tide.client.result(record.ref.id, record.ref.tenant)
        if returned != result and returned != _as_json(result):
            raise AssertionError(f"job {record.ref} returned {returned!r}, not {result!r}")
    return record


def assert_dead(tide: Harness, job: JobLike, reason: str | None = None, *, error: str | None = None) -> Job:
    """The job is dead. Answers its record.

    Arguments:
        reason: why: `permanent`, `attempts_exhausted`, `repeating`, `poison`, ...
        error: what the type or the message of its last failure must contain.

    Raises:
        AssertionError: it is not, or for another reason.
    """
    record = assert_state(tide, job, State.DEAD, reason)
    if error is not None:
        failures = tide.failures(record)
        last = f"{failures[-1].failure.type}: {failures[-1].failure.message}" if failures else "no failure at all"
        if error not in last:
            raise AssertionError(f"job {record.ref} died of {last}, which does not contain {error!r}")
    return record


def assert_retried(tide: Harness, job: JobLike, times: int | None = None, *, error: str | None = None) -> Job:
    """Attempts of the job's generation failed and were, or will be, followed by another one. Answers its record.

    Deferrals (rate limits, a dependency that is down) and crashed workers cost no attempt, and do not count.

    Arguments:
        times: how many; at least one if left out.
        error: what the type or the message of one of its failures must contain.

    Raises:
        AssertionError: there were none, or another number, or none of that error.
    """
    record = tide.job(job)
    # The last attempt is followed by none, and the one that runs has not failed.
    last = 1 if record.state.is_final or record.state is State.RUNNING else 0
    retried = max(record.tries - last, 0)
    if not retried or times not in (None, retried):
        wanted = "at least once" if times is None else f"{times} times"
        raise AssertionError(f"the job was retried {retried} times, not {wanted}\n{_shown(tide, record)}")
    if error is not None and not any(error in _said(one) for one in tide.failures(record)):
        raise AssertionError(f"no failure of the job contains {error!r}\n{_shown(tide, record)}")
    return record


def assert_state(tide: Harness, job: JobLike, state: State | str, reason: str | None = None) -> Job:
    """The job stands so. Answers its record.

    Raises:
        AssertionError: it stands otherwise; the message has its failures and the faults so far.
    """
    record = tide.job(job)
    if record.state != State(state) or reason not in (None, record.reason):
        why = "" if reason is None else f" ({reason})"
        raise AssertionError(f"the job is not {State(state)}{why}\n{_shown(tide, record)}")
    return record


def _found(
    tide: Harness, args: type[JobArgs] | JobArgs | str, match: Mapping[str, object] | None, where: Where
) -> list[Submitted[Any]]:
    return [
        one
        for one in tide.submitted()
        if _is_of(one, args)
        and contains(json.loads(one.args.canonical()), match or {})
        and all(getattr(one, name) == wanted for name, wanted in where.items())
    ]


def _is_of(one: Submitted[Any], args: type[JobArgs] | JobArgs | str) -> bool:
    if isinstance(args, str):
        return one.kind == args
    if isinstance(args, JobArgs):
        return bool(one.args == args)
    return isinstance(one.args, args)


def contains(document: object, wanted: object) -> bool:
    """Whether a JSON document has all that `wanted` has: objects may have more fields, anything else is equal."""
    if isinstance(wanted, Mapping):
        return isinstance(document, Mapping) and all(
            name in document and contains(document[name], value) for name, value in wanted.items()
        )
    return document == wanted


def _wanted(args: type[JobArgs] | JobArgs | str, match: Mapping[str, object] | None, where: Where) -> str:
    named = args.__name__ if isinstance(args, type) else repr(args)
    parts = [f"{name}={value!r}" for name, value in {"match": match, **where}.items() if name in where or value]
    return f"{named} with {', '.join(parts)}" if parts else named


def _listed(tide: Harness) -> str:
    lines = [f"  {one}" for one in tide.submitted()]
    return "\n".join(["submitted were:", *lines] if lines else ["nothing was submitted"])


def _shown(tide: Harness, record: Job) -> str:
    return "\n".join([describe(record), *_traces(tide.failures(record)), tide.story()])


def _traces(failures: Sequence[AttemptFailure]) -> list[str]:
    lines = [f"  generation {one.generation}, attempt {one.attempt}: {_said(one)}" for one in failures]
    if failures:
        lines += [f"    {line}" for line in failures[-1].failure.trace.splitlines()]
    return lines


def _said(failed: AttemptFailure) -> str:
    return f"{failed.failure.type}: {failed.failure.message}"


def _as_json(value: object) -> object:
    return json.loads(encode_result(value) or "null")
