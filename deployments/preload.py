"""What the fork server imports once for all engines: everything slow that a deployment needs, and nothing that starts a thread."""
# ruff: noqa: F401 - imported to be there

import anyio._backends._asyncio
import boto3
import fastapi.encoders
import prefect._internal.pytz
import prefect.engine
import prefect.flow_engine
import prefect.task_engine
import prefect.utilities.visualization
import pydantic.v1
import rich._emoji_codes
import slack_sdk.web

import deployments.serve  # the fork server's children run its imports again, as that of their parent's main module
import tasks.approval
import tasks.change_set
import tasks.deploy_stack
import tasks.monitoring
import tasks.notify
import tasks.record
import tasks.slot
import tasks.sweep
import tasks.validate
from interlock.cloudformation import lint
from interlock.diagnosis import diagnosis
from interlock.logs import cloudwatch
from interlock.registry import outage

lint.preload()
