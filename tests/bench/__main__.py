"""The benchmarks, one after the other: `make bench`, or `python -m tests.bench overhead handoff registry`."""

import sys

from tests.bench import handoff, overhead, registry_cost

BENCHMARKS = {"overhead": overhead.main, "handoff": handoff.main, "registry": registry_cost.main}


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()


main()
