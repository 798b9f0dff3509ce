"""The root of the command line: runs a command and ends as `exits` says, whatever goes wrong in it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from typer import Abort, echo
from typer.core import TyperGroup
from typer.exceptions import TyperException

from tidemill.cli.exits import CliError, ExitCode, known, report

# They are the root's, so they come before the command; the parser alone would only say that there is no such option.
_ROOT_OPTIONS = ("--stack", "--region", "--profile")


class TidemillGroup(TyperGroup):
    """A group without tracebacks for what is to be expected, and with JSON errors beside `--json`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - typer's own signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - the same
        **extra: Any,
    ) -> Any:
        """Run the command line; ends the process unless `standalone_mode` is off."""
        arguments = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in arguments
        try:
            ended = super().main(arguments, prog_name, complete_var, False, windows_expand_args, **extra)
            code = ended if isinstance(ended, int) else ExitCode.OK
        except TyperException as error:
            if not as_json:
                _show(error)
            code = report(_usage(error), as_json=True) if as_json else error.exit_code
        except Abort:
            code = report(CliError("aborted", "nothing was done"), as_json=as_json)
        except Exception as error:
            understood = known(error)
            if understood is None:
                raise
            code = report(understood, as_json=as_json)
        if standalone_mode:
            sys.exit(int(code))
        return int(code)


def _usage(error: TyperException) -> CliError:
    return CliError("usage", error.format_message() + _hint(error), ExitCode.BAD_INPUT)


def _show(error: TyperException) -> None:
    from typer.rich_utils import rich_format_error

    rich_format_error(error)  # type: ignore[arg-type]
    if hint := _hint(error):
        echo(hint.strip(), err=True)


def _hint(error: TyperException) -> str:
    option = getattr(error, "option_name", "")
    if option in _ROOT_OPTIONS:
        return f" {option} goes before the command: tidemill {option} VALUE COMMAND"
    return ""
