"""Telling Step Functions that the job of a task is over. See `tidemill.domain.ports.TaskReports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tidemill.aws.errors import AwsError, code_of, unavailable
from tidemill.aws.patience import each
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import Report

if TYPE_CHECKING:
    from tidemill.aws.clients import Clients

# API Reference, SendTaskSuccess and SendTaskFailure: nobody waits under this token any more, or ever did.
_NOBODY_WAITS: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
# API Reference, SendTaskFailure: error has at most 256 characters, cause 32,768.
MAX_ERROR_CHARS: Final = 256
MAX_CAUSE_CHARS: Final = 32_768


class StepFunctionsReports:
    """`TaskReports` of one account.

    Arguments:
        clients: the client of Step Functions is made when the first job of a saga ends.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def report(self, reports: Sequence[Report]) -> list[UnavailableError | None]:
        """See TaskReports. Most of it is waiting, so that two are faster beside each other already."""
        return each(self._tell, reports, in_turn=1)

    def _tell(self, report: Report) -> UnavailableError | None:
        try:
            if report.output is not None:
                self._clients.step_functions.send_task_success(taskToken=report.token, output=report.output)
            else:
                self._clients.step_functions.send_task_failure(
                    taskToken=report.token,
                    error=report.error[:MAX_ERROR_CHARS],
                    cause=report.cause[:MAX_CAUSE_CHARS],
                )
        except AwsError as error:
            return None if code_of(error) in _NOBODY_WAITS else unavailable("report", error)
        return None
