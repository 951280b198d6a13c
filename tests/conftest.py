"""All tests. They are run file by file (`--dist loadfile`): what one file shares, a server or a whole system, it shares in
one process, and its tests may stand on one another.
"""

import signal

# A shell that runs the tests in the background has them ignore Ctrl-C, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
