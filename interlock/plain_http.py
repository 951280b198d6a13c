"""Plain HTTP needs no certificates, and reading the 140 that are usual takes 30 ms of processor for each client made."""

import ssl

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For httpx's `verify`, where the address is of this machine. It trusts nobody: with `https:` the request would fail."""


def needed_certificates(url: str) -> ssl.SSLContext | bool:
    """For httpx's `verify`, where the address may be anything."""
    return NO_CERTIFICATES if url.startswith("http:") else True
