"""Thresholds held against the words of their rules: the other side of the number, or another number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.audit.wording import in_figures
from psoas.knowledge.conditions import Condition, Holds, Not, Test
from psoas.knowledge.model import Contradiction, Rule, Withholding
from psoas.readings.phrase import number

NUMBER = r"(\d+(?:\.\d+)?)"
UNITS = {"minute": 60, "week": 7, "month": 30, "year": 365}
"""How many of the next smaller unit, in which a finding may be asked, make one of these."""
OF = rf"(?: ?({'|'.join(UNITS)})s?\b)?"
BEFORE = {
    True: rf"(?<!no )(?:at least|more than|longer than|older than|above|over|from the age of)(?: an?)? {NUMBER}{OF}"
    rf"|\bfrom {NUMBER}{OF} on\b",
    False: rf"(?:at most|less than|fewer than|shorter than|younger than|no more than|below|under|up to) {NUMBER}{OF}",
}
AFTER = {
    True: rf"{NUMBER}{OF}(?: out of \d+)?\s?[^\d.,;:]{{0,25}}?(?:or|and) (?:more|above|over|older|longer)\b",
    False: rf"{NUMBER}{OF}(?: out of \d+)?\s?[^\d.,;:]{{0,25}}?(?:or|and) (?:less|fewer|below|under|younger|shorter)\b",
}


Judged = Rule | Withholding | Contradiction


def spoken(text: str) -> set[tuple[bool, float]]:
    """Return what `text` says of numbers: whether it means those above, and the number, also in smaller units."""
    text = in_figures(text)
    found: set[tuple[bool, float]] = set()
    for up, form in ((up, form) for both in (BEFORE, AFTER) for up, form in both.items()):
        for match in re.finditer(form, text):
            value, unit = [group for group in match.groups() if group is not None], 1
            if value[-1] in UNITS:
                unit = UNITS[value[-1]]
            found |= {(up, float(value[0])), (up, unit * float(value[0]))}
    return found


def threshold_reversed(material: Material) -> Iterator[Flaw]:
    """A test that asks for the other side of a number than the words beside it do, or for another number."""
    know = material.knowledge
    rules: list[Judged] = [*know.rules.values(), *know.withholdings.values(), *know.contradictions.values()]
    for rule in rules:
        tests = [(test, up) for test, up in _tests(rule) if test.operator not in ("is", "between")]
        names = [rule.id.replace("-", " "), rule.name if isinstance(rule, Rule) else ""]
        for text in (*names, rule.because):
            said = spoken(text)
            for test, upward in tests:
                sides = {up for up, value in said if value == test.numbers[0]}
                if (not upward) in {up for each, up in tests if each.numbers == test.numbers}:
                    continue  # the rule tests both sides of that number
                # a reason may cite other numbers, a name does not
                other = text in names and len(tests) == 1 and not sides and any(up is upward for up, _ in said)
                if sides == {not upward} or other:
                    asked = f"{test.operator} {number(test.numbers[0])}"
                    message = f"{rule.id} tests {test.finding} for {asked}, and says “{text}”"
                    yield flaw("threshold-reversed", "error", rule, message)


def _tests(rule: Judged) -> Iterator[tuple[Test, bool]]:
    yield from _directed(rule.when)
    for excuse in rule.unless or () if isinstance(rule, Rule) else ():
        yield from _directed(excuse)


def _directed(condition: Condition, positive: bool = True) -> Iterator[tuple[Test, bool]]:
    """Yield each test of a number in `condition`, and whether it asks for the greater ones."""
    if isinstance(condition, Test):
        if condition.numbers:
            yield condition, (condition.operator in ("at least", "more than")) is positive
    elif isinstance(condition, Not):
        yield from _directed(condition.of, not positive)
    elif not isinstance(condition, Holds):
        for part in condition.of:
            yield from _directed(part, positive)
