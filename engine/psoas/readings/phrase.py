"""How would I say this rule to an expert in the field? Conditions, rules and answers in English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from psoas.knowledge.conditions import (
    OPEN,
    All,
    AtLeast,
    Condition,
    Holds,
    Not,
    Test,
    any_of,
    leaves,
)
from psoas.knowledge.model import (
    Calculated,
    Conclusion,
    Contradiction,
    Disagreement,
    Finding,
    Knowledge,
    Remedy,
    Rule,
    Withholding,
)
from psoas.knowledge.program import Origin, withheld_by
from psoas.memory import Standing, State


def number(value: float) -> str:
    """Return `value` as a person writes it, with no digits that say nothing."""
    return f"{value:.10g}"


def listed(parts: Iterable[str], word: str = "and") -> str:
    """Return `a, b and c`; where one of them holds a comma itself, `a; b, too; and c`."""
    parts = list(parts)
    if len(parts) > 1 and any("," in part for part in parts):
        return f"{'; '.join(parts[:-1])}; {word} {parts[-1]}"
    return f" {word} ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def lowered(name: str) -> str:
    """Return `name` as it stands in the middle of a sentence."""
    return name[:1].lower() + name[1:] if not name[1:2].isupper() else name


class Phrases:
    """The English of one knowledge base; conditions may test what is in `also` beside its findings."""

    def __init__(self, knowledge: Knowledge, also: Mapping[str, Finding | Calculated] | None = None) -> None:
        self.knowledge = knowledge
        self._vocabulary = {**knowledge.vocabulary, **(also or {})}

    def answer(self, finding: str, state: State) -> str:
        """Return the statement an answer makes: `sitting 10 hours a day`."""
        item = self._vocabulary[finding]
        if isinstance(state, Standing):
            return f"{item.name}: {state.value}"
        if isinstance(state, frozenset):
            return listed(self._word(item, word) for word in sorted(state))
        if isinstance(state, tuple):
            return item.says.replace("{}", ", ".join(map(number, state)))
        if isinstance(state, float):
            said = self._rounded(finding, state) if isinstance(item, Calculated) else state
            return item.says.replace("{}", number(said))
        return self._word(item, state)

    def _word(self, item: Finding | Calculated, word: str) -> str:
        assert isinstance(item, Finding)
        return f"{item.name} otherwise not known" if word == OPEN else item.values[word]

    def _rounded(self, finding: str, value: float) -> float:
        """Return `value` with as few decimals as leave it on its side of every number it is tested against."""
        tested = self._thresholds.get(finding, set())
        sides = [(value > bound, value < bound) for bound in tested]
        for decimals in range(6):
            said = round(value, decimals)
            if [(said > bound, said < bound) for bound in tested] == sides:
                return said
        return value

    @cached_property
    def _thresholds(self) -> dict[str, set[float]]:
        """The numbers that each finding is tested against."""
        know, found = self.knowledge, dict[str, set[float]]()
        rules: list[Origin] = [*know.rules.values(), *know.withholdings.values(), *know.remedies.values()]
        conditions = [rule.when for rule in rules] + [c for rule in know.rules.values() for c in rule.unless or ()]
        for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
            if isinstance(leaf, Test):
                found.setdefault(leaf.finding, set()).update(leaf.numbers)
        return found

    def symbol(self, symbol: str) -> str:
        """Return the short name of a conclusion, a level, a remedy, or a class of conclusions."""
        if symbol in self.knowledge.conclusions:
            return self.knowledge.conclusions[symbol].short
        if symbol in self.knowledge.remedies:
            return f"{lowered(self.knowledge.remedies[symbol].name)} is indicated"
        if symbol.startswith("any "):
            return f"{symbol} is established"
        return f"the advice is “{self.knowledge.level(symbol).name}”"

    def condition(self, condition: Condition, *, inner: bool = False) -> str:
        """Return `condition` in English; `inner` brackets a list that stands within another."""
        if isinstance(condition, Test):
            return _bracketed(self._test(condition), inner and len(condition.words) > 1)
        if isinstance(condition, Holds):
            return self.symbol(condition.symbol)
        if isinstance(condition, Not):
            return self._not(condition.of)
        parts = [self.condition(part, inner=True) for part in condition.of]
        if isinstance(condition, All):
            return _bracketed(listed(parts), inner and len(parts) > 1) if parts else "always"
        assert isinstance(condition, AtLeast)
        if condition.n == 1:
            return _bracketed(listed(parts, "or"), inner and len(parts) > 1)
        return _bracketed(f"at least {condition.n} of: {'; '.join(parts)}", inner)

    def _test(self, test: Test) -> str:
        item = self._vocabulary[test.finding]
        if test.operator == "answered":
            return f"{item.name} answered"
        if test.numbers:
            bounds = [number(bound) for bound in test.numbers]
            text = f"between {bounds[0]} and {bounds[1]}" if test.operator == "between" else bounds[0]
            return item.says.replace("{}", text if test.operator in ("is", "between") else f"{test.operator} {text}")
        return listed((self._word(item, word) for word in sorted(test.words)), "or")

    def _not(self, condition: Condition) -> str:
        if isinstance(condition, Test):
            item = self._vocabulary[condition.finding]
            if condition.operator == "answered":
                return f"{item.name} not answered"
            if isinstance(item, Finding) and item.type == "yes-no":
                return self._word(item, "no" if "yes" in condition.words else "yes")
            return f"not: {self.condition(condition, inner=True)}"
        if isinstance(condition, Not | Holds):
            return f"not: {self.condition(condition, inner=True)}"
        parts = "; ".join(self.condition(part, inner=True) for part in condition.of)
        if isinstance(condition, All):
            return f"not all of: {parts}"
        return f"none of: {parts}" if condition.n == 1 else f"fewer than {condition.n} of: {parts}"

    def rule(self, rule: Origin) -> str:
        """Return one sentence for a rule, a withholding or a remedy's indication."""
        if isinstance(rule, Rule):
            unless = f", unless {self.condition(any_of(rule.unless))}" if rule.unless else ""
            return f"If {self.condition(rule.when)}{unless}, {self._consequence(rule)}: {rule.because}."
        if isinstance(rule, Withholding):
            held = listed(lowered(self.knowledge.remedies[r].name) for r in withheld_by(rule, self.knowledge))
            return f"If {self.condition(rule.when)}, hold back {held}: {rule.because}."
        treated = listed((self.knowledge.conclusions[c].short for c in rule.treats), "or")
        extra = self.condition(rule.when) if rule.when is not None else ""
        return f"{rule.name} is indicated if {' and '.join(filter(None, [treated, extra]))}."

    def item(self, item: Any) -> str:
        """Return what any noun of the model says, as far as that is one sentence."""
        if isinstance(item, Rule | Withholding | Remedy):
            return self.rule(item)
        if isinstance(item, Conclusion):
            return f"{item.means} {item.matters}".strip()
        if isinstance(item, Finding):
            return item.question
        if isinstance(item, Calculated):
            return f"{item.name} = {item.formula.text}"
        if isinstance(item, Disagreement):
            return f"It bears on a case if {self.condition(item.bears)}."
        if isinstance(item, Contradiction):
            refused = ", ".join(self.knowledge.findings[name].name for name in item.refuse)
            return f"If {self.condition(item.when)}, the answer is refused: {refused}. {item.because}"
        return str(getattr(item, "says", "") or getattr(item, "title", "") or getattr(item, "because", ""))

    def _consequence(self, rule: Rule) -> str:
        names = listed(self.knowledge.conclusions[c].short for c in rule.then)
        if rule.kind == "against":
            return f"this counts against {names} ({rule.strength})"
        said = []
        if rule.level:
            said.append(f"the advice is “{self.knowledge.level(rule.level).name}”")
        if names:
            said.append(f"this {self._verb(rule)} {names}" + (f" ({rule.strength})" if rule.strength else ""))
        return listed(said)

    def _verb(self, rule: Rule) -> str:
        if rule.kind == "mechanism":
            return "may lead to"
        return "counts as" if float(self.knowledge.manifest.strengths.get(rule.strength, "0")) == 1 else "suggests"


def _bracketed(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
