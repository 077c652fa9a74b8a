"""A condition as it stands in a file of the rule language, on one line."""

from __future__ import annotations

from psoas.knowledge.conditions import ALWAYS, All, AtLeast, Condition, Holds, Not, Test
from psoas.readings.phrase import number


def notation(condition: Condition) -> str:
    """Return `condition` as an author writes it, without the braces and commas that only YAML needs."""
    if isinstance(condition, Holds):
        return condition.symbol
    if isinstance(condition, Test):
        return _test(condition)
    if isinstance(condition, Not):
        return f"not: {notation(condition.of)}"
    if condition == ALWAYS:
        return "always"
    parts = "; ".join(map(notation, condition.of))
    if isinstance(condition, All):
        return f"all: [{parts}]"
    assert isinstance(condition, AtLeast)
    return f"any: [{parts}]" if condition.n == 1 else f"at least {condition.n} of: [{parts}]"


def _test(test: Test) -> str:
    bounds = " and ".join(map(number, test.numbers))
    words = " or ".join(sorted(test.words))
    if test.operator == "is":
        return f"{test.finding}: {words or bounds}"
    if test.operator == "includes":
        return f"{test.finding} includes {words}"
    return " ".join(filter(None, [test.finding, test.operator, bounds]))
