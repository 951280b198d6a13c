"""`python -m tests.chaos [--points PATTERN] [--kill engine|engine+runner|server|stop] [--record]`: `make chaos` does all."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.bed import Bed, Kill, Strike
from tests.chaos.points import matching

AT_ONCE = 8
"""More would only wait for the processors."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--points", default="*", help="a pattern, such as 'after:holds.*' (default: all)")
    parser.add_argument("--kill", type=Kill, choices=list(Kill), help="what is struck (default: each in turn)")
    parser.add_argument("--record", action="store_true", help="list the points of a normal deployment, strike nothing")
    parser.add_argument("--home", type=Path, help="where the data and logs are kept (default: nowhere)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    arguments = parser.parse_args()
    if arguments.home:
        arguments.home.mkdir(parents=True, exist_ok=True)
    points = matching(arguments.points)
    kills = [arguments.kill] if arguments.kill else list(Kill)
    with Bed(len(points) * len(kills) + 1, arguments.home) as bed:
        if arguments.record:
            print("\n".join(bed.recorded()))
            return
        strikes = [strike for kill in kills for strike in _struck(bed, points, kill, arguments.at_once)]
    sys.exit(any(strike.problems for strike in strikes))


def _struck(bed: Bed, points: list[str], kill: Kill, at_once: int) -> Iterator[Strike]:
    for first in range(0, len(points), at_once):
        began = time.monotonic()
        for strike in bed.strike(points[first : first + at_once], kill):
            _show(strike)
            yield strike
        print(f"({time.monotonic() - began:.0f} s)", flush=True)


def _show(strike: Strike) -> None:
    seconds = "      -" if strike.seconds is None else f"{strike.seconds:5.0f} s"
    result = "; ".join(strike.problems) or "ok"
    print(f"{strike.point:<40} {strike.kill:<14} {seconds}  {result}", flush=True)


main()
