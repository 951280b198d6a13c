"""The benchmarks, one after the other: `make bench`, or `python -m tests.bench overhead handoff registry load`."""

import sys

from tests.bench import handoff, load, overhead, registry_cost

BENCHMARKS = {"overhead": overhead.main, "handoff": handoff.main, "registry": registry_cost.main, "load": load.main}


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()


main()
