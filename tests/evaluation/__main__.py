"""`make evaluate`: how well the monitor sees, foretells and explains, on operations recorded on real AWS."""

import os
import sys
from importlib import import_module
from pathlib import Path

from tests.evaluation.recordings import DATA, recordings_in

_CHAPTERS = ("pace", "estimates", "stalls", "first_causes")
"""Each a module of this package with `report(recordings) -> str`."""


def main() -> int:
    folder = Path(os.environ.get("EVENTS") or DATA / "events")
    recordings = recordings_in(folder)
    if not recordings:
        print(
            f"No recorded operations in {folder}. Name a folder of them: EVENTS=folder make evaluate", file=sys.stderr
        )
        return 5
    print(
        f"{len(recordings)} operations, {sum(each.is_complete for each in recordings)} of them complete, from {folder}"
    )
    for chapter in _CHAPTERS:
        print()
        print(import_module(f"tests.evaluation.{chapter}").report(recordings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
