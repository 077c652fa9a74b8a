"""One small change of one item of the knowledge: what a slip of the pen would make of it, and that slip in words.

A worked case that comes out otherwise notices the change. Changed are rules, triage rules, withholdings and what
indicates a remedy: a number by a step, an operator, a part or an exception left out, the conclusion, the level, the
strength. docs/audit/unnoticed-change.md tells an expert about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor, log10

from psoas.audit.notation import notation
from psoas.audit.wording import shortened
from psoas.knowledge.conditions import (
    OPPOSED,
    STRICTER,
    All,
    AtLeast,
    Condition,
    Not,
    Test,
    all_of,
    any_of,
)
from psoas.knowledge.model import Alternatives, Knowledge, Remedy, Rule, Withholding
from psoas.knowledge.program import Origin


@dataclass(frozen=True, slots=True)
class Mutant:
    """An item with one change."""

    item: Origin  # as it would be
    kind: str  # threshold, operator, dropped part, dropped exception, conclusion, level, strength, dropped remedy
    says: str  # what became what: `load_kg less than 45` becoming 50

    def applied(self, knowledge: Knowledge) -> Knowledge:
        """Return `knowledge` with this change made."""
        if isinstance(self.item, Rule):
            return replace(knowledge, rules={**knowledge.rules, self.item.id: self.item})
        if isinstance(self.item, Remedy):
            return replace(knowledge, remedies={**knowledge.remedies, self.item.id: self.item})
        return replace(knowledge, withholdings={**knowledge.withholdings, self.item.id: self.item})


class Mutations:
    """The changes that are tried of the items of one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        manifest = knowledge.manifest
        self._levels = [d.id for d in manifest.dispositions if d.id != manifest.otherwise.unasked]
        numbers = {name: float(text) for name, text in manifest.strengths.items()}
        kinds = {kind.id for kind in manifest.kinds if not kind.weighed}
        self._unweighed = {c.id for c in knowledge.conclusions.values() if c.kind in kinds}  # never told how certain
        self._strengths = sorted((name for name, n in numbers.items() if n < 1), key=numbers.__getitem__)

    def all(self) -> Iterator[Mutant]:
        """Yield every change of every item, item by item."""
        know = self.knowledge
        items: list[Origin] = [*know.rules.values(), *know.withholdings.values(), *know.remedies.values()]
        for item in items:
            yield from self.of(item)

    def of(self, item: Origin) -> Iterator[Mutant]:
        """Yield every change of one item."""
        if item.when is not None:
            for when, kind, says in self._conditions(item.when):
                yield Mutant(replace(item, when=when), kind, says)
        if isinstance(item, Rule):
            yield from self._of_rule(item)
        elif isinstance(item, Withholding):
            for name in item.withholds if len(item.withholds) > 1 else ():
                kept = tuple(other for other in item.withholds if other != name)
                yield Mutant(
                    replace(item, withholds=kept), "dropped remedy", f"`{name}` left out of what it holds back"
                )
        else:
            yield from self._of_remedy(item)

    def _of_rule(self, rule: Rule) -> Iterator[Mutant]:
        exceptions = rule.unless or Alternatives()
        for place, exception in enumerate(exceptions):
            others = Alternatives((*exceptions[:place], *exceptions[place + 1 :]))
            says = f"`unless: {_short(exception)}` left out"
            yield Mutant(replace(rule, unless=others or None), "dropped exception", says)
            for changed, kind, says in self._conditions(exception):
                unless = Alternatives((*exceptions[:place], changed, *exceptions[place + 1 :]))
                yield Mutant(replace(rule, unless=unless), kind, f"in `unless`, {says}")
        for conclusion in rule.then:
            other = self._sibling(rule, conclusion)
            if other:
                then = tuple(other if name == conclusion else name for name in rule.then)
                yield Mutant(replace(rule, then=then), "conclusion", f"`{conclusion}` becoming {other}")
        if rule.level:
            place = self._levels.index(rule.level)
            for level in (*self._levels[max(place - 1, 0) : place], *self._levels[place + 1 : place + 2]):
                yield Mutant(replace(rule, level=level), "level", f"`{rule.level}` becoming {level}")
        if rule.kind == "against":
            yield Mutant(replace(rule, kind="sign"), "conclusion", "`kind: against` becoming a sign for it")
        if rule.strength in self._strengths and not self._unweighed.issuperset(rule.then):
            place = self._strengths.index(rule.strength)
            for name in (*self._strengths[max(place - 1, 0) : place], *self._strengths[place + 1 : place + 2]):
                yield Mutant(replace(rule, strength=name), "strength", f"`{rule.strength}` becoming {name}")

    def _sibling(self, rule: Rule, conclusion: str) -> str:
        """Return another conclusion of the same kind that the rule does not itself depend on; "" if there is none."""
        conclusions = self.knowledge.conclusions
        kind = conclusions[conclusion].kind
        names = [c.id for c in conclusions.values() if c.kind == kind and c.id not in rule.then]
        later = [name for name in names if name > conclusion]
        return next(iter([*later, *names]), "")

    def _of_remedy(self, remedy: Remedy) -> Iterator[Mutant]:
        for cause in remedy.treats if len(remedy.treats) > 1 else ():
            kept = tuple(other for other in remedy.treats if other != cause)
            yield Mutant(replace(remedy, treats=kept), "dropped part", f"`for: {cause}` left out")
        if remedy.treats and remedy.when is not None:
            says = f"`if: {_short(remedy.when)}` left out"
            yield Mutant(replace(remedy, when=None), "dropped part", says)

    # conditions

    def _conditions(self, condition: Condition) -> Iterator[tuple[Condition, str, str]]:
        """Yield the condition with one change, the kind of change, and the change in words."""
        if isinstance(condition, Test):
            yield from self._tests(condition)
        elif isinstance(condition, Not):
            yield condition.of, "operator", f"`not` left out before `{_short(condition.of)}`"
            for changed, kind, says in self._conditions(condition.of):
                yield Not(changed), kind, says
        elif isinstance(condition, All | AtLeast):
            yield from self._combined(condition)

    def _combined(self, condition: All | AtLeast) -> Iterator[tuple[Condition, str, str]]:
        parts = condition.of
        for place, part in enumerate(parts):
            rest = (*parts[:place], *parts[place + 1 :])
            if len(parts) > 1:
                shorter = all_of(rest) if isinstance(condition, All) else _at_least(min(condition.n, len(rest)), rest)
                yield shorter, "dropped part", f"`{_short(part)}` left out"
            for changed, kind, says in self._conditions(part):
                yield replace(condition, of=(*parts[:place], changed, *parts[place + 1 :])), kind, says
        if len(parts) > 1 and isinstance(condition, All):
            yield any_of(parts), "operator", f"`all` becoming any, in `{_short(condition)}`"
        elif len(parts) > 1 and isinstance(condition, AtLeast):
            words = "`any` becoming all" if condition.n == 1 and len(parts) == 2 else ""
            for n in (condition.n - 1, condition.n + 1):
                if 1 <= n <= len(parts):
                    says = words or f"`at least {condition.n} of` becoming {n}"
                    yield _at_least(n, parts), "operator", f"{says}, in `{_short(condition)}`"

    def _tests(self, test: Test) -> Iterator[tuple[Condition, str, str]]:
        for place, bound in enumerate(test.numbers):
            for moved in self._steps(test, bound):
                numbers = (*test.numbers[:place], moved, *test.numbers[place + 1 :])
                if list(numbers) == sorted(numbers):
                    yield replace(test, numbers=numbers), "threshold", f"`{notation(test)}` becoming {moved:g}"
        for operators in (STRICTER, OPPOSED):
            if test.operator in operators:
                operator = operators[test.operator]
                says = f"`{notation(test)}` becoming {operator}"
                yield replace(test, operator=operator), "operator", says
        for word in sorted(test.words) if len(test.words) > 1 else ():
            yield replace(test, words=test.words - {word}), "dropped part", f"{word} left out of `{notation(test)}`"

    def _steps(self, test: Test, bound: float) -> Iterator[float]:
        """Yield the numbers a step below and above: a round tenth of the number, and of the range at most."""
        item = self.knowledge.findings.get(test.finding)
        span = item.range if item is not None else None
        size = min(abs(bound), span.high - span.low) if span else abs(bound)
        least = 10.0 ** -len(f"{bound:.10g}".partition(".")[2])
        step = max(_round(size / 10), least) if size else 1.0
        for moved in (round(bound - step, 6), round(bound + step, 6)):
            if span is None or moved in span:
                yield moved


def _short(condition: Condition) -> str:
    return shortened(notation(condition), 80)


def _at_least(n: int, parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else AtLeast(n, parts)


def _round(number: float) -> float:
    """Return the nearest of 1, 2, 5, 10 times a power of ten."""
    power = 10.0 ** floor(log10(number))
    return min((power, 2 * power, 5 * power, 10 * power), key=lambda round_: abs(round_ - number))
