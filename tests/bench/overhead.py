"""What Interlock adds to a stack's own time: from starting `interlock deploy` to its exit, on a stack of 5 x 2 s."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import chain

RUNS = 5
STACK_SECONDS = 10.0


def main() -> None:
    names = [f"bench-{number}" for number in range(RUNS + 1)]
    with (
        RehearsalSystem({name: {} for name in names}) as system,
        tempfile.NamedTemporaryFile("w", suffix=".yaml") as template,
    ):
        template.write(chain(2, 2, 2, 2, 2))
        template.flush()
        _deploy(system, names[0], template.name)  # the first one warms the simulated AWS
        measured = [_deploy(system, name, template.name) for name in names[1:]]
    print("\nOverhead of `interlock deploy` over a stack of 5 resources, 2 s each (new stack each time)")
    print(f"{'run':>4} {'wall s':>8} {'overhead s':>11} {'CloudFormation requests':>24}")
    for number, (wall, requests) in enumerate(measured, 1):
        print(f"{number:>4} {wall:>8.2f} {wall - STACK_SECONDS:>11.2f} {requests:>24}")
    walls = [wall for wall, _ in measured]
    print(
        f"median overhead {median(walls) - STACK_SECONDS:.2f} s, at most {max(each for _, each in measured)} requests"
    )


def _deploy(system: RehearsalSystem, environment: str, template: str) -> tuple[float, int]:
    before = _requests(system)
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("interlock")), "deploy", environment, "--template", template]
    done = subprocess.run(command, env=system.environment(), capture_output=True, text=True, check=False)
    wall = time.monotonic() - began
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return wall, _requests(system) - before


def _requests(system: RehearsalSystem) -> int:
    return sum(1 for each in system.aws.log() if each["service"] == "cloudformation")
