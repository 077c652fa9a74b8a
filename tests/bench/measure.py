"""Timing two things against each other on a machine that others use too: interleaved, and judged by their ratio."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

Task = Callable[[], object]
Times = dict[str, list[float]]


def interleaved(tasks: Mapping[str, Task], rounds: int) -> Times:
    """Run all `tasks` once unmeasured, then `rounds` times in turn (A B A B …); return the seconds of each run."""
    for task in tasks.values():
        task()
    times: Times = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            with collector_off():
                start = perf_counter()
                task()
                times[name].append(perf_counter() - start)
    return times


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the garbage collector out of what is timed, as `timeit` does; clear up beforehand."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class Ratio:
    """How many times as long one took as the other: the median over the pairs, and the middle half of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> Ratio:
    """Return the ratio of neighbours: each pair was measured one right after the other."""
    pairs = [a / b for a, b in zip(numerator, denominator, strict=True)]
    if len(pairs) == 1:
        return Ratio(pairs[0], pairs[0], pairs[0])
    low, _, high = statistics.quantiles(pairs, n=4, method="inclusive")
    return Ratio(statistics.median(pairs), low, high)


def milliseconds(times: Sequence[float], per: int = 1) -> float:
    """Return the median of `times` in ms, each shared by `per` equal pieces of work."""
    return 1000 * statistics.median(times) / per


def growth(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Return the exponent e of time ~ size**e, by least squares over the logarithms."""
    if len(sizes) < 2:
        return math.nan
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(t) for t in times]).slope
