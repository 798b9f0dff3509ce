"""What answers no question, and the evidence that must come of it all the same."""

from __future__ import annotations

import itertools

from tidemill.domain import limits


class Panic(BaseException):
    """Such as PyO3's PanicException and gevent's Timeout."""


class Refusing:
    """An object that raises whatever it is asked."""

    def _refuse(self, *_):
        raise Panic("object")

    __str__ = __repr__ = __eq__ = __hash__ = __bool__ = __format__ = __iter__ = __len__ = _refuse
    __getattr__ = __int__ = __lt__ = _refuse


def check_evidence(worker, job_id):
    """All that is kept is bounded and can be stored."""
    failures = [one.failure for one in worker.store.failures_of(worker.record(job_id).ref)]
    assert failures
    bounds = {
        "type": 120,
        "message": limits.MAX_ERROR_MESSAGE_CHARS,
        "trace": limits.MAX_TRACEBACK_CHARS,
        "fingerprint": 16,
    }
    for failure, (name, most) in itertools.product(failures, bounds.items()):
        text = getattr(failure, name)
        assert type(text) is str
        assert len(text) <= most
        text.encode("utf-8")
    assert failures[0].type
