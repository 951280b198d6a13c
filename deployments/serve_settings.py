"""What `up` and the runner that it starts agree on; apart from both, so that `up` starts without importing Prefect's runner."""

READY_FILE = "INTERLOCK_READY_FILE"
"""The environment variable that names the file which the runner makes once it can start deployments."""
