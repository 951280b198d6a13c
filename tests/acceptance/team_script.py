"""A team's own deploy script, for the tests: `team_script.py STACK TEMPLATE [Name=value]...`; `Mode` says how it behaves."""

import os
import sys
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError


def main(stack: str, template_file: str, *pairs: str) -> int:
    parameters = dict(pair.split("=", 1) for pair in pairs)
    mode = parameters.get("Mode", "wait")
    print(f"script {os.getpid()} for {os.environ['INTERLOCK_ENVIRONMENT']}", flush=True)  # noqa: T201 - a script prints
    print(f"given: {sorted(name for name in os.environ if name.startswith(('INTERLOCK_', 'PREFECT_')))}", flush=True)  # noqa: T201
    if mode == "slow":
        time.sleep(300)
    if mode == "broken":
        print("no such account", file=sys.stderr)  # noqa: T201
        return 3
    with open(template_file, encoding="utf-8") as file:  # noqa: PTH123
        body = file.read()
    deploy(stack, body, parameters, is_waiting=mode == "wait")
    return 0


def deploy(stack: str, body: str, parameters: dict[str, str], *, is_waiting: bool) -> None:
    cloudformation: Any = boto3.client("cloudformation")
    arguments = {
        "StackName": stack,
        "TemplateBody": body,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    }
    try:
        cloudformation.create_stack(**arguments)
        end = "stack_create_complete"
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates" not in str(error):
                raise
            print("nothing to do")  # noqa: T201
            return
        end = "stack_update_complete"
    if is_waiting:
        cloudformation.get_waiter(end).wait(StackName=stack, WaiterConfig={"Delay": 1})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
