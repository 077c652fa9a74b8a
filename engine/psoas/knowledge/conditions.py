"""The rule language: conditions on findings and conclusions, and what they say of one value.

The combinators follow Kleene's strong three-valued logic: a condition is True, False or None (unknown).
How conclusions get their value is each reading's own business; what a test says of an answer is said here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Value: TypeAlias = str | float | frozenset[str] | tuple[float, ...]
"""An answer: a word, a number, the words chosen from a list, or a series of numbers."""

Kleene: TypeAlias = bool | None

OPEN = "unknown"
"""The word for "asked, cannot say". Inside a set of chosen words it leaves the rest of the set open."""

Operator = Literal["is", "includes", "at least", "at most", "more than", "less than", "between", "answered"]

NUMERIC: dict[Operator, Callable[[float, float], bool]] = {
    "at least": lambda value, bound: value >= bound,
    "at most": lambda value, bound: value <= bound,
    "more than": lambda value, bound: value > bound,
    "less than": lambda value, bound: value < bound,
}

STRICTER: dict[Operator, Operator] = {
    "at least": "more than",
    "more than": "at least",
    "at most": "less than",
    "less than": "at most",
}
"""Operator → the one that judges only the bound itself otherwise."""

OPPOSED: dict[Operator, Operator] = {
    "at least": "less than",
    "less than": "at least",
    "at most": "more than",
    "more than": "at most",
}
"""Operator → the one that is true wherever this is false."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test of one finding's answer. `words` holds its operands if they are words, `numbers` if numbers."""

    finding: str
    operator: Operator
    words: frozenset[str] = frozenset()
    numbers: tuple[float, ...] = ()

    def of(self, value: Value) -> Kleene:
        """Return what this test says of an answer `value`; None only where a set leaves it open."""
        if isinstance(value, frozenset):
            if self.operator == "answered":
                return OPEN not in value
            return True if value & self.words else None if OPEN in value else False
        if self.operator == "answered":
            return True
        if self.operator == "is":
            return value in (self.words or self.numbers)
        assert isinstance(value, float)
        if self.operator == "between":
            return self.numbers[0] <= value <= self.numbers[1]
        return NUMERIC[self.operator](value, self.numbers[0])


@dataclass(frozen=True, slots=True)
class Holds:
    """True where the thing named `symbol` (a conclusion, a level, an indicated remedy) is established."""

    symbol: str


@dataclass(frozen=True, slots=True)
class All:
    """True where every part is; with no parts, always."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True where at least `n` of the parts are. `any` is the case n = 1."""

    n: int
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where its part, a condition on findings alone, is answered and not so."""

    of: Condition


Condition: TypeAlias = Test | Holds | All | AtLeast | Not

ALWAYS = All(())


def any_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that at least one of `parts` holds."""
    parts = tuple(parts)
    return parts[0] if len(parts) == 1 else AtLeast(1, parts)


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that every one of `parts` holds."""
    parts = tuple(parts)
    return parts[0] if len(parts) == 1 else All(parts)


def leaves(condition: Condition | None) -> Iterator[Test | Holds]:
    """Yield the tests and conclusions in `condition`, in the order written."""
    if isinstance(condition, Test | Holds):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.of)
    elif condition is not None:
        for part in condition.of:
            yield from leaves(part)


def negated(condition: Condition) -> Condition:
    """Return the condition that is true where `condition` is false, with `Not` standing only before tests."""
    if isinstance(condition, Not):
        return condition.of
    if isinstance(condition, All):
        return any_of(negated(part) for part in condition.of)
    if isinstance(condition, AtLeast):  # fewer than n of m hold = at least m-n+1 do not
        return AtLeast(len(condition.of) - condition.n + 1, tuple(map(negated, condition.of)))
    return Not(condition)


def evaluate(condition: Condition, test: Callable[[Test], Kleene], holds: Callable[[str], Kleene]) -> Kleene:
    """Return the value of `condition`, given the value of each test and of each symbol."""
    if isinstance(condition, Test):
        return test(condition)
    if isinstance(condition, Holds):
        return holds(condition.symbol)
    if isinstance(condition, Not):
        inner = evaluate(condition.of, test, holds)
        return None if inner is None else not inner
    needed = len(condition.of) if isinstance(condition, All) else condition.n
    true = possible = 0
    for index, part in enumerate(condition.of):
        value = test(part) if isinstance(part, Test) else evaluate(part, test, holds)  # most are: spare a call
        if value is not False:
            possible += 1
            true += value is True
        if true >= needed:
            return True
        if possible + len(condition.of) - index - 1 < needed:
            return False
    return True if true >= needed else None if possible >= needed else False
