"""Planted bugs of the versions of arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation import stage
from tests.simulation.planted.plant import Planted, always
from tidemill.aws import concluding, store
from tidemill.domain.contract import Contract, fingerprint_of
from tidemill.service import upgrading
from tidemill.service.claiming import Claiming
from tidemill.service.editing import Editor

_UPCAST: Final = Contract.__dict__["upcast"].__func__
_FROM_MESSAGE: Final = Contract.__dict__["from_message"].__func__


def reads_newer(_: Any) -> Any:
    """A version that is not known is taken for the one that is."""

    def planted(cls: Any, canonical: bytes, version: int) -> Any:
        return _UPCAST(cls, canonical, min(version, cls.contract_version))

    return classmethod(planted)


def upcasts_all(_: Any) -> Any:
    """Whatever comes is upcast, though it may be of this version by now."""

    def planted(cls: Any, canonical: bytes, version: int) -> Any:
        return _FROM_MESSAGE(cls, canonical, min(version, 1))

    return classmethod(planted)


def forgets_version(item: Any) -> Any:
    """The envelope that the table keeps does not say of which version it is."""
    return lambda envelope, ttl_s: item(replace(envelope, version=1), ttl_s)


def claims_by_upcast(request: Any) -> Any:
    """A worker asks for the job by the fingerprint of the arguments as it reads them."""

    def planted(self: Any, received: Any) -> Any:
        asked, envelope = request(self, received), received.envelope
        model = stage.playing().deployment.registry.resolve(envelope.kind).args_type
        if not envelope.args or envelope.version >= model.contract_version:
            return asked
        return replace(asked, fingerprint=fingerprint_of(model.upcast(envelope.args, envelope.version)))

    return planted


def keeps_version(edited: Any) -> Any:
    """An edited job says that its arguments are of the version that they were."""
    return lambda self, envelope, canonical: replace(edited(self, envelope, canonical), version=envelope.version)


PLANTED: Final = (
    Planted(
        "newer arguments taken for known",
        "I30",
        "versions",
        "old code reads arguments of a newer version as if they were of its own",
        ((upgrading, "is_newer", always(False)), (Contract, "upcast", reads_newer)),
    ),
    Planted(
        "newer arguments buried at once",
        "I30",
        "versions",
        "old code that meets a newer version buries the job instead of leaving it",
        ((upgrading, "left_for_newer", always(None)),),
    ),
    Planted(
        "arguments upcast twice",
        "I30",
        "versions",
        "arguments of this version are upcast once more",
        ((Contract, "from_message", upcasts_all),),
    ),
    Planted(
        "version lost at the park",
        "I30",
        "versions",
        "the table keeps the arguments of a job and not their version",
        ((store, "args_item", forgets_version), (concluding, "args_item", forgets_version)),
    ),
    Planted(
        "claimed by upcast arguments",
        "I30",
        "versions",
        "a claim names the fingerprint of the upcast arguments, and not of the bytes that came",
        ((Claiming, "_request", claims_by_upcast),),
    ),
    Planted(
        "edited under the old version",
        "I30",
        "versions",
        "an edited job keeps the version of its old arguments",
        ((Editor, "edited", keeps_version),),
    ),
)
