"""Other deployers on this machine, for the tests that run them: each is looked for in the directories of
INTERLOCK_TEST_TOOLS (separated as in PATH), then on PATH. None of them is a dependency of Interlock.
"""

import os
import shutil
import tempfile
from pathlib import Path

TOOLS = {"with-aws": "aws", "with-sam": "sam", "with-cdk": "cdk"}
"""The environment that each deploys."""

_ASSEMBLY = str(Path(__file__).with_name("assembly"))
"""A CDK app as `cdk synth` leaves it."""
_OPTIONS = {
    "aws": "cloudformation deploy --stack-name {stack_name} --template-file {template} --no-fail-on-empty-changeset"
    " --capabilities {capabilities} --parameter-overrides {parameters} --tags {tags}",
    "sam": "deploy --stack-name {stack_name} --template-file {template} --region {region} --no-confirm-changeset"
    " --no-fail-on-empty-changeset --capabilities {capabilities} --parameter-overrides {parameters} --tags {tags}",
    "cdk": f"deploy --app {_ASSEMBLY} {{stack_name}} --require-approval never --ci --no-notices --tags git={{git_sha}}",
}
_QUIET = ("SAM_CLI_TELEMETRY=0", f"CDK_HOME={tempfile.gettempdir()}/interlock-tests-cdk")


def found(tool: str) -> str | None:
    path = os.pathsep.join([os.environ.get("INTERLOCK_TEST_TOOLS", ""), os.environ.get("PATH", "")])
    return shutil.which(tool, path=path)


def command_of(tool: str) -> list[str]:
    return ["env", *_QUIET, found(tool) or tool, *_OPTIONS[tool].split()]
