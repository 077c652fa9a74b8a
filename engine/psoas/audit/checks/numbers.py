"""The number line: thresholds that leave a gap, or overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psoas.audit.checks.conditions import in_order
from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.knowledge.conditions import All, Condition, Test
from psoas.knowledge.model import Rule
from psoas.knowledge.program import Clause
from psoas.readings.phrase import number


@dataclass(frozen=True, slots=True)
class Interval:
    """Where on the number line of one finding a rule holds, whatever else it asks for."""

    rule: Rule
    finding: str
    rest: tuple[str, ...]  # the other parts of its condition
    low: float
    high: float
    low_in: bool
    high_in: bool

    @property
    def bounded(self) -> bool:
        """Whether it ends on both sides."""
        return self.low > float("-inf") and self.high < float("inf")

    def within(self, other: Interval) -> bool:
        """Tell whether all of it lies in `other`."""
        return _starts(self) >= _starts(other) and _ends(self) <= _ends(other)

    def meets(self, other: Interval) -> bool:
        """Tell whether the two have a number in common."""
        low, high = max(_starts(self), _starts(other)), min(_ends(self), _ends(other))
        return low[0] < high[0] or (low[0] == high[0] and low[1] == 0 == high[1])


def threshold_gap(material: Material) -> Iterator[Flaw]:
    """A number between two intervals of one ladder that belongs to neither."""
    for group in _ladders(material):
        ladder = sorted(group, key=_starts)
        stepped = any(interval.bounded for interval in ladder)
        reach = ladder[0]
        for upper in ladder[1:]:
            gap = _gap(reach, upper)
            if gap and (stepped or reach.high == upper.low):
                message = (
                    f"{upper.finding}: {gap} is in neither {reach.rule.id} nor {upper.rule.id} ({reach.rule.place})"
                )
                yield flaw("threshold-gap", "error", upper.rule, message, others=(reach.rule.id,))
            reach = max(reach, upper, key=_ends)


def threshold_overlap(material: Material) -> Iterator[Flaw]:
    """Numbers that belong to two steps of a ladder, or both to a sign and to what counts against it."""
    for group in _ladders(material):
        for one, other in combinations(sorted(group, key=lambda interval: (interval.rule.place, interval.rule.id)), 2):
            if one.meets(other) and not one.within(other) and not other.within(one):
                yield _overlap(one, other, "and so count twice")
    for one, other in _opponents(material):
        if one.meets(other):
            yield _overlap(one, other, "one for, one against the same conclusion")


def _ladders(material: Material) -> Iterator[list[Interval]]:
    """Yield the intervals of rules that conclude the same and differ in one number alone, where there are several."""
    groups: dict[object, list[Interval]] = {}
    for interval in _intervals(material):
        rule = interval.rule
        against = rule.kind == "against"
        groups.setdefault((interval.finding, interval.rest, rule.then, rule.level, against), []).append(interval)
    yield from (group for group in groups.values() if len(group) > 1)


def _opponents(material: Material) -> Iterator[tuple[Interval, Interval]]:
    for one, other in combinations(_intervals(material), 2):
        same = (one.finding, one.rest) == (other.finding, other.rest) and set(one.rule.then) & set(other.rule.then)
        if same and (one.rule.kind == "against") != (other.rule.kind == "against"):
            yield one, other


def _intervals(material: Material) -> list[Interval]:
    clauses = [clause for clause in material.logic.program.clauses if clause.unless is None]
    return [interval for clause in clauses for interval in _cut(clause)]


def _cut(clause: Clause) -> Iterator[Interval]:
    """Yield where `clause` holds on the number line of each finding that it wants to lie in one interval."""
    rule, parts = clause.origin, _parts(clause.when)
    if not isinstance(rule, Rule):
        return
    numeric = {part.finding: None for part in parts if isinstance(part, Test) and part.numbers}
    for finding in numeric:
        tests = [part for part in parts if isinstance(part, Test) and part.numbers and part.finding == finding]
        rest = tuple(sorted(repr(in_order(part)) for part in parts if part not in tests))
        low, high = (float("-inf"), 1), (float("inf"), -1)
        for test in tests:
            starts, ends = _bounds(test)
            low, high = max(low, starts), min(high, ends)
        yield Interval(rule, finding, rest, low[0], high[0], low[1] == 0, high[1] == 0)


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return tuple(p for part in condition.of for p in _parts(part)) if isinstance(condition, All) else (condition,)


def _bounds(test: Test) -> tuple[tuple[float, int], tuple[float, int]]:
    """Return where a test starts and ends: the number, and 1 or -1 where it is left out."""
    first, last = test.numbers[0], test.numbers[-1]
    starts: dict[str, tuple[float, int]] = {"at least": (first, 0), "more than": (first, 1)}
    ends: dict[str, tuple[float, int]] = {"at most": (last, 0), "less than": (last, -1)}
    if test.operator in ("is", "between"):
        return (min(test.numbers), 0), (max(test.numbers), 0)
    return starts.get(test.operator, (float("-inf"), 1)), ends.get(test.operator, (float("inf"), -1))


def _starts(interval: Interval) -> tuple[float, int]:
    return interval.low, 0 if interval.low_in else 1


def _ends(interval: Interval) -> tuple[float, int]:
    return interval.high, 0 if interval.high_in else -1


def _gap(lower: Interval, upper: Interval) -> str:
    """Return the numbers between two intervals in words; empty where there are none."""
    if lower.high == upper.low:
        return "" if lower.high_in or upper.low_in else f"exactly {number(lower.high)}"
    return f"what lies between {number(lower.high)} and {number(upper.low)}" if lower.high < upper.low else ""


def _overlap(one: Interval, other: Interval, how: str) -> Flaw:
    low, high = max(one.low, other.low), min(one.high, other.high)
    shared = " and ".join(
        f"{word} {number(bound)}" for word, bound in (("from", low), ("up to", high)) if abs(bound) < float("inf")
    )
    message = f"{one.finding}: numbers {shared} are in {one.rule.id} and in {other.rule.id} ({other.rule.place}), {how}"
    return flaw("threshold-overlap", "error", one.rule, message, others=(other.rule.id,))
