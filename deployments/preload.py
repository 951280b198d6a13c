"""What the fork server imports once for all engines: everything slow that a deployment needs, and nothing that starts a thread."""

import boto3  # noqa: F401
import prefect.engine
import prefect.flow_engine
import prefect.task_engine  # noqa: F401
import slack_sdk.web  # noqa: F401

import tasks.approval
import tasks.change_set
import tasks.deploy_stack
import tasks.monitoring
import tasks.notify
import tasks.record
import tasks.slot
import tasks.sweep
import tasks.validate  # noqa: F401
from interlock.cloudformation import lint
from interlock.logs import cloudwatch  # noqa: F401

lint.preload()
