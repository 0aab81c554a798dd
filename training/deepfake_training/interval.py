"""A figure and how sure it is."""

from dataclasses import dataclass

INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Interval:
    """A value with the two ends of its 95 % interval."""

    value: float
    low: float
    high: float
