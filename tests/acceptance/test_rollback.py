"""`interlock rollback` as a person types it: the stack is as it was before its last deployment."""

import json
import subprocess
import sys

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, chain

ENVIRONMENT = "rolling-back"


def test_a_rollback_deploys_the_template_before_the_last_one_and_says_so_on_record(system: RehearsalSystem) -> None:
    earlier, last = (ask(system.api_url, ENVIRONMENT, chain(0.1, delay=delay)) for delay in (1, 2))
    for asked in (earlier, last):
        assert asked.wait()["state_name"] == "Succeeded", asked.log()
    done = subprocess.run(
        [sys.executable, "-m", "interlock.cli", "rollback", ENVIRONMENT, "--yes", "--json"],
        env=system.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    record = system.registry.deployments.get(outcome["correlation_id"])
    assert record.template_sha256 == system.registry.deployments.get(earlier.correlation_id()).template_sha256
    assert f"to go back to {earlier.correlation_id()}" in record.events[0].details
    assert record.stack_status == "UPDATE_COMPLETE"
