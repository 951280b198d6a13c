"""What the commands in this folder have in common: an error for a person is a paragraph and an exit code."""

import os
import sys
from collections.abc import Callable
from functools import wraps

import httpx

from interlock.errors import ExitCode, InterlockError

_DEBUG = "INTERLOCK_DEBUG"


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
    print(f"interlock: {message}", file=sys.stderr)
    sys.exit(int(exit_code))
