"""Who is at the keyboard, for the record."""

import getpass
import socket


def who(actor: str | None) -> str:
    """`--actor`, or user@host."""
    return (actor or "").strip() or f"{login_name() or 'somebody'}@{socket.gethostname()}"


def login_name() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return None
