"""Serve the flows from this machine: the runner that `interlock up` starts. `python -m deployments.serve`"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from prefect.deployments.runner import RunnerDeployment

from deployments import ROOT
from deployments.catalogue import prefect_deployments
from deployments.serve_settings import READY_FILE
from deployments.warm_engine import WarmRunner
from interlock.wiring import installation

POLL_SECONDS = 0.4
"""How often the runner asks for new runs: half of this is a deployment's average delay to its start."""
MOST_RUNS_AT_ONCE = 64
"""Waiting deployments are processes too (about 40 MB each); those beyond this wait in Prefect, in order."""


async def _serve(deployments: list[RunnerDeployment]) -> None:
    runner = WarmRunner(name="interlock", query_seconds=POLL_SECONDS, limit=MOST_RUNS_AT_ONCE, pause_on_shutdown=False)
    runner.on_ready = _say_ready
    for deployment in deployments:
        await runner.aadd_deployment(deployment)
    await runner.start()


def _say_ready() -> None:
    if path := os.environ.get(READY_FILE):
        Path(path).touch()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deployments.serve", description=__doc__)
    parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    asyncio.run(_serve(prefect_deployments(installation().environments.values())))


if __name__ == "__main__":
    main()
