"""Sweep now, in this process, without waiting for the schedule: `interlock sweep`."""

import os
import sys

from deployments import ROOT
from deployments.command import Parser, command


@command
def main() -> None:
    Parser("interlock sweep", __doc__).parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
    from flows.sweep import stall_sweep  # noqa: PLC0415 - Prefect reads its settings when it is imported

    state = stall_sweep(return_state=True)
    print(state.message)


if __name__ == "__main__":
    main()
