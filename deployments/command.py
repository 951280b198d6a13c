"""What the commands in this folder have in common: an error for a person is a paragraph and an exit code."""

import argparse
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn

import httpx

from interlock.cli.telling import tell
from interlock.errors import ExitCode, InterlockError, InvalidRequestError

_DEBUG = "INTERLOCK_DEBUG"
_HIGHEST_PORT = 65535


class Parser(argparse.ArgumentParser):
    """Of these commands' arguments; its help is their module's docstring. A wrong command line is an invalid request."""

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        raise InvalidRequestError([message, f"{self.format_usage().strip()} (`{self.prog} --help` says more)"])


def port(text: str) -> int:
    """A port that can be listened on, as argparse wants it."""
    number = int(text)
    if not 0 < number <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is not a port (1 to {_HIGHEST_PORT})")
    return number


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Run `main`; end the process with the error's exit code, its message on stderr and no traceback."""

    @wraps(main)
    def run() -> None:
        try:
            main()
        except KeyboardInterrupt:
            sys.exit(130)
        except InterlockError as error:
            _end(str(error), error.exit_code, error)
        except Exception as error:
            if not _is_about_prefect(error):
                raise
            url = os.environ.get("PREFECT_API_URL", "PREFECT_API_URL (not set)")
            _end(
                f"Prefect's API at {url} does not answer: {error}. Start it, or correct the address.",
                ExitCode.NO_PREFECT,
                error,
            )

    return run


def _is_about_prefect(error: Exception) -> bool:
    if isinstance(error, RuntimeError):
        return "Failed to reach API" in str(error) or "ephemeral" in str(error).lower()
    # Looked up, not imported: that takes two seconds, and who raised one of these has imported them already.
    exceptions = sys.modules.get("prefect.exceptions")
    return isinstance(error, httpx.HTTPError) or (
        exceptions is not None and isinstance(error, exceptions.PrefectException)
    )


def _end(message: str, exit_code: int, error: Exception) -> None:
    if os.environ.get(_DEBUG):
        raise error
    sys.exit(tell(message, int(exit_code)))
