"""All tests. They are run file by file (`--dist loadfile`): what one file shares, a server or a whole system, it shares in
one process, and its tests may stand on one another.
"""

import os
import signal

# A shell that runs the tests in the background has them ignore Ctrl-C, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A test that asks Prefect without having a server fails, rather than have Prefect start one behind its back.
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"
