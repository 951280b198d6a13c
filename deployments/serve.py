"""Serve the flows from this machine: the runner that `interlock up` starts. `python -m deployments.serve`"""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from prefect.deployments.runner import RunnerDeployment

from deployments import ROOT
from deployments.catalogue import prefect_deployments
from deployments.prefect_settings import answers
from deployments.serve_settings import READY_FILE, SERVER_PATIENCE
from deployments.warm_engine import WarmRunner, warm_up
from interlock.wiring import installation
from tasks.run_log import begin_log

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


def _wait_for_server() -> None:
    """Return once it answers, or when the patience is over: the runner's own error then says what is wrong."""
    deadline = time.monotonic() + float(os.environ.get(SERVER_PATIENCE, "0"))
    while time.monotonic() < deadline and not answers(os.environ["PREFECT_API_URL"]):
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deployments.serve", description=__doc__)
    parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    begin_log(stream="runner")
    deployments = prefect_deployments(installation().environments.values())
    warm_up()  # before the server is waited for: it imports for seconds, and so does this
    _wait_for_server()
    asyncio.run(_serve(deployments))


if __name__ == "__main__":
    main()
