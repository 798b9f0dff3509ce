"""Errors of versions of contracts."""

from __future__ import annotations

from tidemill.domain.errors import InputError, InvalidArgsError, Violation


class NewerVersionError(InputError):
    """Arguments or data are of a version that this code does not know yet: newer code wrote them."""

    code = "newer_version"

    @classmethod
    def of(cls, name: str, version: int, known: int) -> NewerVersionError:
        """The error of a model: `version` is what was met, `known` the newest that this code reads."""
        problem = (
            f"is {version}, this code knows {name} up to version {known}, and nothing makes an earlier one of it. "
            "Fix: deploy the code that wrote it; then redrive what is dead"
        )
        return cls(Violation("version", problem, "newer_version"))


class UpcastError(InvalidArgsError):
    """Arguments or data of an earlier version could not be made ones of this code's version."""

    code = "upcast"
