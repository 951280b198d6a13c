"""Who may call Prefect's API: whoever can reach its port, unless it has an auth string.

The API starts deployments and shows their parameters, so beyond this machine it never listens without one.
"""

import ipaddress
from collections.abc import Mapping

from interlock.errors import SettingsError

SERVER_AUTH = "PREFECT_SERVER_API_AUTH_STRING"
"""Prefect's own name for what the server asks of its clients, `user:password`."""
CLIENT_AUTH = "PREFECT_API_AUTH_STRING"
"""The same string, as a client has it."""
LEAST_PASSWORD_LENGTH = 16
"""What a password manager or `openssl rand -hex 16` makes is longer; what a person makes up is not."""

_HOW = f"Set {SERVER_AUTH} to USER:PASSWORD (`openssl rand -hex 24` makes a password), {CLIENT_AUTH} for clients."


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there. A name is not looked up: its address may change."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def auth_of(environ: Mapping[str, str], host: str) -> str | None:
    """The auth string of a server that is to listen on `host`.

    Raises:
        SettingsError: others could reach it and it has none, or one that can be guessed.
    """
    auth = environ.get(SERVER_AUTH) or None
    problem = _problem(auth)
    if auth is None and is_loopback(host):
        return None
    if problem:
        where = f"on {host}" if is_loopback(host) else f"on {host}, where others can reach it"
        raise SettingsError(f"Prefect's API does not listen {where}: {problem}.", next_step=_HOW)
    return auth


def url_host(host: str) -> str:
    """The host as clients on this machine write it in a URL: a server on every interface is reached on loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return "127.0.0.1" if address.is_unspecified else str(address)
    return "[::1]" if address.is_unspecified else f"[{address}]"


def _problem(auth: str | None) -> str | None:
    if auth is None:
        return f"it would start deployments for anyone, since {SERVER_AUTH} is not set"
    user, separator, password = auth.partition(":")
    if not user or not separator:
        return f"{SERVER_AUTH} has not the form USER:PASSWORD"
    if len(password) < LEAST_PASSWORD_LENGTH:
        return f"the password in {SERVER_AUTH} has fewer than {LEAST_PASSWORD_LENGTH} characters"
    return None
