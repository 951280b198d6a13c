"""What is believed of a duration: a log-normal distribution that observations sharpen.

Durations of provisioning are skewed and vary by factors, not by seconds; their logarithms are near enough to normal.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import Final

from interlock.models.base import Value

P50: Final = 0.5
P90: Final = 0.9
_STANDARD: Final = NormalDist()
_Z90: Final = _STANDARD.inv_cdf(P90)
_SHORTEST_SECONDS: Final = 0.2
_WEIGHT_OF_NOISE: Final = 3
"""As many observations the assumed noise is worth."""
_SURE: Final = 1 - 1e-9
_TAIL: Final = 3.0
"""What is past its p90 may be outside of all that was believed: the longer it has been, the longer it will be. This is the
exponent of a Pareto distribution: as likely less as more than 0.26 of the overdue time, nine times in ten less than 1.15.
"""


class Belief(Value):
    """A duration in seconds: its logarithm is normal, with this mean and standard deviation."""

    log_mean: float
    log_sd: float

    @classmethod
    def around(cls, seconds: float, *, log_sd: float) -> "Belief":
        return cls(log_mean=_log(seconds), log_sd=log_sd)

    @classmethod
    def between(cls, p50_seconds: float, p90_seconds: float) -> "Belief":
        return cls.around(p50_seconds, log_sd=max(0.0, _log(p90_seconds) - _log(p50_seconds)) / _Z90)

    def learned(self, seconds: Sequence[float], *, noise: float) -> "Belief":
        """With observations of the same thing, which differ by about `noise` (a standard deviation of logarithms).

        Their median counts, so that one outlier does not; how far they differ in fact corrects the noise. What comes
        out foretells the next one.
        """
        if not seconds:
            return self
        logs = [_log(each) for each in seconds]
        middle = median(logs)
        spread = sum((each - middle) ** 2 for each in logs)
        variance = (_WEIGHT_OF_NOISE * noise**2 + spread) / (_WEIGHT_OF_NOISE + len(logs) - 1)
        before, seen = 1 / self.log_sd**2, len(logs) / variance
        mean = (before * self.log_mean + seen * middle) / (before + seen)
        return Belief(log_mean=mean, log_sd=math.sqrt(1 / (before + seen) + variance))

    def times(self, factor: float) -> "Belief":
        return Belief(log_mean=self.log_mean + math.log(factor), log_sd=self.log_sd)

    def quantile(self, q: float) -> float:
        return math.exp(self.log_mean + self.log_sd * _STANDARD.inv_cdf(q))

    def left(self, q: float, *, elapsed_seconds: float = 0.0) -> float:
        """The quantile of what is left of it, given that it has lasted for `elapsed_seconds` already."""
        if elapsed_seconds <= 0:
            return self.quantile(q)
        past = _STANDARD.cdf((_log(elapsed_seconds) - self.log_mean) / self.log_sd) if self.log_sd else 0.0
        whole = self.quantile(min(past + q * (1 - past), _SURE))
        overdue = elapsed_seconds - self.quantile(P90)
        return max(whole - elapsed_seconds, overdue * (math.pow(1 - q, -1 / _TAIL) - 1), 0.0)


def _log(seconds: float) -> float:
    return math.log(max(seconds, _SHORTEST_SECONDS))
