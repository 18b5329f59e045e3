"""The command `instep`: what torch and sympy are needed for is imported when it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from instep.conformance.cli import catalogue, check, explain, scheduler, vectors
from instep.conformance.cli.exits import Exit, StopError
from instep.conformance.errors import StaleExpectationError, SubjectError, UsageError

HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=HELP, no_args_is_help=False, invoke_without_command=True)
@click.version_option(version("instep"), prog_name="instep")
@click.option("--debug", is_flag=True, help="Print a traceback with every error.")
@click.pass_context
def instep(context: click.Context, debug: bool) -> None:
    """Say whether an optimizer is in step with its equations.

    Exit codes: 0 in step; 1 out of step, or the subject raised; 2 usage; 3 our own fault; 4 a
    stale or unknown expected failure; 5 fewer checks than the floor.
    """
    if debug:
        os.environ["INSTEP_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for module in (check, scheduler, vectors, catalogue, explain):
    for command in module.COMMANDS:
        instep.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run, and leave with the documented exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line; every error becomes one line on stderr."""
    try:
        done = instep.main(list(arguments), prog_name="instep", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as `instep list | head` does; nothing is left to be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except (KeyboardInterrupt, click.Abort):
        click.echo("instep: interrupted", err=True)
        return Exit.INTERRUPTED
    except Exception as error:
        return _complain(error)
    return done if isinstance(done, int) else Exit.OK


def _complain(error: Exception) -> int:
    """Print an error as one line, and its traceback where that was asked for."""
    line, code = _told(error)
    if os.environ.get("INSTEP_DEBUG"):
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo(f"instep: {' '.join(line.split())}", err=True)
    return code


def _told(error: Exception) -> tuple[str, int]:
    """What an error means to the user, and the exit code."""
    from instep.spec.errors import SpecError

    match error:
        case click.UsageError():
            command = error.ctx.command_path if error.ctx is not None else "instep"
            return f"{error.format_message()} (see {command} --help)", Exit.USAGE
        case click.ClickException():
            return error.format_message(), Exit.USAGE
        case StopError():
            return str(error), error.code
        case StaleExpectationError():
            return str(error), Exit.EXPECTATIONS
        case UsageError() | SpecError():
            return str(error), Exit.USAGE
        case SubjectError():
            return str(error), Exit.OUT_OF_STEP
    again = "this is a fault of instep: please report it with what `instep --debug ...` prints"
    return f"{type(error).__name__}: {error} ({again})", Exit.OUR_FAULT
