"""What `up` and the runner that it starts agree on; apart from both, so that `up` starts without importing Prefect's runner.

Both are environment variables.
"""

READY_FILE = "INTERLOCK_READY_FILE"
"""Names the file which the runner makes once it can start deployments."""
SERVER_PATIENCE = "INTERLOCK_SERVER_PATIENCE_SECONDS"
"""For how long the runner waits for a Prefect server that is still starting. Without it: not at all."""
