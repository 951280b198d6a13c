"""Headless Chromium, for pictures of a page."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from interlock.errors import StartupError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE_SECONDS = 60
_HEIGHT = re.compile(r'data-height="(\d+)"')


def find_chromium() -> str:
    """The browser's path: `$CHROMIUM`, or the first of its usual names on the path.

    Raises:
        StartupError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise StartupError(
            f"There is no Chromium ({named or ', '.join(_NAMES)}).",
            next_step="Install one, or name it with the environment variable CHROMIUM.",
        )
    return found


@dataclass
class Chromium:
    """One browser profile, thrown away at the end. Times are shown in UTC, whatever the machine's zone."""

    path: str
    width: int
    _profile: TemporaryDirectory[str] = field(default_factory=lambda: TemporaryDirectory(ignore_cleanup_errors=True))

    def take(self, url: str, picture: Path) -> None:
        """A picture of the whole page, as high as the page says that it is (`data-height`)."""
        height = self._height(url)
        self._run(url, f"--screenshot={picture.absolute()}", height=height)

    def _height(self, url: str) -> int:
        found = _HEIGHT.search(self._run(url, "--dump-dom", height=100))
        if found is None:
            raise RuntimeError(f"{url} does not say how high it is.")
        return int(found[1])

    def _run(self, url: str, what: str, *, height: int) -> str:
        command = [
            self.path,
            "--headless=new",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium refuses to be root's otherwise
            f"--user-data-dir={self._profile.name}",
            f"--window-size={self.width},{height}",
            "--virtual-time-budget=2000",
            what,
            url,
        ]
        environment = {**os.environ, "TZ": "UTC", "LANG": "en_GB.UTF-8", "LANGUAGE": "en_GB"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
        )
        return done.stdout
