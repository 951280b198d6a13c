"""`python -m interlock.rehearsal.slack --port 4567`: prints `ready: URL`, ends cleanly on SIGINT and SIGTERM."""

import os
import signal
import sys
import threading

import click

from interlock.cli.telling import run
from interlock.errors import StartupError
from interlock.rehearsal.slack.server import LOOPBACK, SlackServer

_DEFAULT_PORT = 4567


@click.command()
@click.option(
    "--port", default=_DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--exit-with-stdin", is_flag=True, help="End when standard input does: who started us is gone.")
def _slack(port: int, exit_with_stdin: bool) -> None:
    """A local Slack for rehearsals: messages are shown at its address, and nothing leaves this machine."""
    server = _open(port)
    if exit_with_stdin:
        threading.Thread(target=_watch_stdin, args=[server], daemon=True).start()
    _serve(server)


def _open(port: int) -> SlackServer:
    try:
        return SlackServer(port)
    except OSError as error:
        raise StartupError(
            f"The local Slack cannot listen on {LOOPBACK}:{port}: {error.strerror}.",
            next_step="Stop what uses the port, or name another one with --port.",
        ) from error


def _serve(server: SlackServer) -> None:
    # Both signals raise here. A handler that sets an event instead can find the event's own lock taken, and hang.
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        click.echo(f"ready: {server.url}")
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        server.stopping.set()
        server.server_close()


def _watch_stdin(server: SlackServer) -> None:
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: Python cannot end while a buffer's lock is held
        pass
    server.shutdown()


def main() -> None:
    sys.exit(run(_slack, None, "interlock rehearse slack"))


if __name__ == "__main__":
    main()
