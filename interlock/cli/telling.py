"""How a command line ends: an error becomes one paragraph and an exit code here, and nowhere else."""

import io
import os
import sys
from collections.abc import Sequence

import click

from interlock.cli.text import safe
from interlock.errors import ExitCode, InterlockError, InvalidRequestError

INTERRUPTED = 130
"""What a shell reports of a command that Ctrl-C ended."""
_LONGEST_LINE = 2000
"""Of an error: whoever passes a whole file for a name shall not get all of it back."""
_WHOLE_INSTALLATION = (
    "This is the client alone (deploy, approve, deny, cancel, rollback, status --prefect). Everything else needs "
    '`pip install "interlock[worker]"`.'
)
_OWN = ("interlock", "tasks", "flows", "deployments")


def run(command: click.Command, arguments: Sequence[str] | None, name: str) -> int:
    """Run the command and return its exit code. `arguments` are the process's own unless given."""
    _let_any_text_through()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _insist_on_text(given)
        return int(command.main(given, prog_name=name, standalone_mode=False) or 0)
    except InterlockError as error:
        return tell(str(error), error.exit_code)
    except click.ClickException as error:
        return tell(_of_usage(error), ExitCode.INVALID_REQUEST)
    except (KeyboardInterrupt, click.Abort):
        return tell("interrupted; nothing was changed.", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): nothing to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:
        if os.environ.get("INTERLOCK_DEBUG"):
            raise
        return tell(_explained(error), ExitCode.FAILED)


def tell(message: str, exit_code: int) -> int:
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {paragraph(message)}", err=True)
    return exit_code


def paragraph(text: str) -> str:
    """Harmless to a terminal, without empty lines, and no line longer than a person reads."""
    lines = (line.rstrip() for line in safe(text).splitlines())
    return "\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..." for line in lines if line)


def _insist_on_text(arguments: Sequence[str]) -> None:
    """Bytes that are no text can be neither sent as JSON nor kept in a record."""
    wrong = [position for position, argument in enumerate(arguments, start=1) if not _is_text(argument)]
    if wrong:
        raise InvalidRequestError([f"argument number {position}: is not UTF-8 text" for position in wrong])


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_usage(error: click.ClickException) -> str:
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return error.format_message()
    return f"{error.format_message()}\n{error.ctx.get_usage()}\nTry `{error.ctx.command_path} --help`."


def _explained(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] not in _OWN:
        return f"{error.name} is not installed. {_WHOLE_INSTALLATION}"
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{what}. This is a bug; run with INTERLOCK_DEBUG=1 for the traceback."


def _let_any_text_through() -> None:
    """A terminal or a CI log without UTF-8 gets a question mark, and a deployment its own exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
