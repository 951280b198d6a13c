"""What has to be true of this process before MiniStack is imported."""

import os
import tempfile
from pathlib import Path


def prepare(port: int, home: Path) -> None:
    """Loopback only, no containers, no listeners of its own, and every temporary file below `home`."""
    tempfile.tempdir = str(home)
    os.environ.update(
        {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "BIND_HOST": "127.0.0.1",
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",  # it would start containers and leave them behind
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",  # listens on 0.0.0.0:8883 whatever BIND_HOST says
            "LAMBDA_EXECUTOR": "docker",  # which is not there: a template's code must never run on this machine
            "LOG_LEVEL": "ERROR",
            "MINISTACK_HOST": "localhost",
            "PERSIST_STATE": "0",
            "S3_DATA_DIR": f"{home}/s3",
            "SFTP_ENABLED": "0",
            "STATE_DIR": f"{home}/state",
            "TMPDIR": str(home),
        }
    )
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LOCALSTACK_PERSISTENCE", "S3_PERSIST", "SERVICES"):
        os.environ.pop(name, None)
