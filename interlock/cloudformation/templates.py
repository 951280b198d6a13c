"""Where a template comes from: its text, S3, a file below one directory, or a listed host; nothing else is read.

A caller names the source, and the worker reads it with its own rights. So whatever is not plainly allowed is refused:
otherwise a request could read the worker's disk or its network.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from interlock.errors import InvalidRequestError
from interlock.models.base import Value

if TYPE_CHECKING:
    import httpx

INLINE_BYTES = 51_200
"""The longest template that a call to CloudFormation may carry."""
MOST_BYTES = 1_000_000
"""The longest template that CloudFormation reads from S3."""

_TIMEOUT_SECONDS = 10.0
_MOST_REDIRECTS = 3
_LONGEST_PATH = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class S3Object(Value):
    """An object's bytes, and the `https://` address of that very version for CloudFormation to read."""

    body: bytes
    url: str

    @property
    def text(self) -> str | None:
        """None when it is not UTF-8."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None


S3Reader = Callable[[str, str, int], S3Object]
"""(bucket, key, most_bytes) -> the object, read no further than one byte beyond `most_bytes`."""


def s3_address(region: str, bucket: str, key: str, version_id: str | None = None) -> str:
    """Where CloudFormation reads an object; with the version, what it reads later is what was checked."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    version = f"?versionId={quote(version_id, safe='')}" if version_id and version_id != "null" else ""
    return f"https://{bucket}.s3.{region}.{suffix}/{quote(key)}{version}"


class Template(Value):
    """A template's text and, if it lies in S3, the address that CloudFormation itself may read it at."""

    body: str
    url: str | None = None
    source: tuple[str, str] | None = None
    """The bucket and the key behind `url`."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def fits_inline(self) -> bool:
        return len(self.body.encode()) <= INLINE_BYTES

    @property
    def is_pinned(self) -> bool:
        """Its address names the object's version, which never changes."""
        return self.url is not None and "?versionId=" in self.url

    @property
    def argument(self) -> dict[str, str]:
        """For a call to CloudFormation. The text wins where it fits: what was checked is then what is deployed."""
        return {"TemplateBody": self.body} if self.fits_inline or not self.url else {"TemplateURL": self.url}


def load(
    template: str,
    *,
    templates_directory: Path | None = None,
    allowed_hosts: Collection[str] = (),
    s3_reader: S3Reader | None = None,
) -> Template:
    """The template that a request names: its text, `s3://bucket/key`, a path, or an `https://` address.

    Raises:
        InvalidRequestError: the source is not allowed, cannot be read, or is too long.
        CloudFormationUnavailableError: S3 does not answer (from `s3_reader`).
    """
    if template.startswith("s3://"):
        return _from_s3(template, s3_reader)
    if template.startswith("https://"):
        return Template(body=_text(_from_host(template, allowed_hosts), template))
    if template.startswith("http://"):
        raise _refusal("`http://` is not allowed: use `https://`, `s3://` or the template's text")
    if _looks_like_a_path(template):
        return Template(body=_text(_from_directory(template, templates_directory), template))
    return Template(body=_text(template.encode(), "the text"))


def _looks_like_a_path(template: str) -> bool:
    return (
        "\n" not in template.strip()
        and ":" not in template
        and "{" not in template
        and 0 < len(template.strip()) < _LONGEST_PATH
    )


def _from_directory(name: str, directory: Path | None) -> bytes:
    if directory is None:
        raise _refusal(f"`{name}` looks like a path, and INTERLOCK_TEMPLATES names no directory to read templates from")
    root = directory.resolve()
    # Resolved before it is compared: neither `..` nor a symbolic link leads out of the directory.
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise _refusal(f"`{name}` is not below the directory of INTERLOCK_TEMPLATES")
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refusal(f"`{name}` cannot be read: {error.strerror}") from error


def _from_s3(address: str, s3_reader: S3Reader | None) -> Template:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if s3_reader is None or not bucket or not key:
        raise _refusal(
            f"`{address}` is not of the form s3://bucket/key" if s3_reader else "`s3://` is not available here"
        )
    found = s3_reader(bucket, key, MOST_BYTES)
    text = _text(found.body, address)
    named = PurePosixPath(key).stem
    if _SHA256.fullmatch(named) and hashlib.sha256(found.body).hexdigest() != named:
        raise _refusal(f"`{address}` does not have the hash that its name says")
    return Template(body=text, url=found.url, source=(bucket, key))


def _from_host(address: str, allowed_hosts: Collection[str]) -> bytes:
    import httpx  # noqa: PLC0415 (only this source needs it)

    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            return _fetched(client, address, allowed_hosts, redirects_left=_MOST_REDIRECTS)
    except httpx.HTTPStatusError as error:
        raise _refusal(f"`{_shown(address)}` cannot be read: HTTP {error.response.status_code}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Not httpx's own words: they hold the whole address, with its signature.
        raise _refusal(f"`{_shown(address)}` cannot be read: {type(error).__name__}") from None


def _fetched(client: "httpx.Client", address: str, allowed_hosts: Collection[str], *, redirects_left: int) -> bytes:
    _check_host(address, allowed_hosts)
    with client.stream("GET", address) as answer:
        if not answer.is_redirect:
            answer.raise_for_status()
            return _first_bytes(answer.iter_bytes())
        target = urljoin(address, answer.headers["location"])
    if redirects_left == 0:
        raise _refusal(f"`{_shown(address)}` redirects too often")
    # Each step is checked anew: a listed host must not be a door to others.
    return _fetched(client, target, allowed_hosts, redirects_left=redirects_left - 1)


def _check_host(address: str, allowed_hosts: Collection[str]) -> None:
    parts = urlsplit(address)
    if (
        parts.scheme != "https"
        or parts.username
        or parts.port not in (None, 443)
        or parts.hostname not in allowed_hosts
    ):
        raise _refusal(f"`{_shown(address)}` is not on a host of INTERLOCK_TEMPLATE_HOSTS")


def _first_bytes(chunks: Iterable[bytes]) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return body


def _text(body: bytes, source: str) -> str:
    if not body.strip():
        raise _refusal(f"{_shown(source)} is empty")
    if len(body) > MOST_BYTES:
        raise _refusal(f"{_shown(source)} is longer than {MOST_BYTES:,} bytes, the most that CloudFormation takes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"{_shown(source)} is not UTF-8 text (byte {error.start})") from error


def _shown(address: str) -> str:
    """Without the query: a presigned address holds a signature."""
    return address.partition("?")[0]


def _refusal(problem: str) -> InvalidRequestError:
    return InvalidRequestError([f"template: {problem}."])
