"""`python -m interlock.rehearsal.aws --port 4566`: the simulated AWS as a process of its own."""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from interlock.cli.telling import run
from interlock.errors import StartupError
from interlock.rehearsal.aws import ministack_process
from interlock.rehearsal.aws.cloudformation.cloud import Pace

_HOST = "127.0.0.1"
_SECONDS = click.FloatRange(min=0)


@click.command()
@click.option("--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--seconds", default=0.5, show_default=True, type=_SECONDS, help="Time to create or update a resource.")
@click.option(
    "--rollback-seconds",
    default=0.5,
    show_default=True,
    type=_SECONDS,
    help="Time to delete a resource or to send it back.",
)
@click.option("--change-set-seconds", default=0.0, show_default=True, type=_SECONDS, help="Time to make a change set.")
@click.option("--until-stdin-closes", is_flag=True, help="Stop when whoever started this process is gone.")
def _aws(
    port: int, seconds: float, rollback_seconds: float, change_set_seconds: float, until_stdin_closes: bool
) -> None:
    """Simulate AWS on this machine (127.0.0.1 only)."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until it serves, too, its directory goes with it
    listener = _listen(port)
    pace = Pace(seconds, rollback_seconds, change_set_seconds)
    with listener, tempfile.TemporaryDirectory(prefix="interlock-aws-", ignore_cleanup_errors=True) as home:
        ministack_process.prepare(listener.getsockname()[1], Path(home))
        with suppress(KeyboardInterrupt):  # told to stop before it served: that is no error
            asyncio.run(_serve(listener, pace, until_stdin_closes=until_stdin_closes))


def _listen(port: int) -> socket.socket:
    """Raises:
    StartupError: the port is taken, or not ours to take.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartupError(
            f"The simulated AWS cannot listen on {_HOST}:{port}: {error}.",
            next_step="Stop what uses the port, or choose another with --port.",
        ) from error
    return listener


async def _serve(listener: socket.socket, pace: Pace, *, until_stdin_closes: bool) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415 - a port in use is told before half a second of imports
    from hypercorn.config import Config  # noqa: PLC0415

    from interlock.rehearsal.aws.server import Server  # noqa: PLC0415 - imports MiniStack, which reads os.environ

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), ended.set)  # nobody writes there: readable means closed

    async def stopped() -> None:
        await ended.wait()

    port = listener.getsockname()[1]
    server = Server(pace)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # hypercorn closes it itself
    config.loglevel, config.graceful_timeout, config.shutdown_timeout = "ERROR", 0.5, 2
    click.echo(f"ready: http://{_HOST}:{port}")
    sys.stdout.flush()
    # Whoever started us reads one line: whatever MiniStack prints later must not fill that pipe.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    await serve(server, config, shutdown_trigger=stopped)
    await server.stop()


def main() -> None:
    sys.exit(run(_aws, None, "interlock rehearse aws"))


if __name__ == "__main__":
    main()
