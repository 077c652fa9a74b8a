"""What a test says of a row: `WorkingMemory.now` and `ahead`, in SQL (docs/semantics.md, sections 1, 2 and 6).

Two times of reading share what they can: as the answers were given, on which contradictions are judged, and after
those have refused some of them.
"""

from __future__ import annotations

from psoas.knowledge.conditions import OPEN, All, AtLeast, Condition, Holds, Not, Test, leaves
from psoas.knowledge.model import Calculated, Contradiction, Finding, Knowledge
from psoas.memory import Vocabulary
from psoas.readings.screen.bounds import Bounds, all_hold, settled, so_many_hold
from psoas.readings.screen.cells import Cells, without
from psoas.readings.screen.figures import figure
from psoas.readings.screen.sql import FALSE, TRUE, double, every, known_true, negated, some

COMPARED = {"at least": ">=", "at most": "<=", "more than": ">", "less than": "<"}


class States:
    """The findings of a row, `given` as they stand in its cells, or after contradictions."""

    def __init__(self, knowledge: Knowledge, cells: Cells, before: States | None = None) -> None:
        """Without `before`, read the answers as given; with it, after the contradictions judged on it."""
        self.knowledge = knowledge
        self.cells = cells
        self.columns = cells.columns
        self.before = before
        vocabulary = Vocabulary(knowledge)
        self.refusable = frozenset(knowledge.refusable)
        self._touched = {name for source in self.refusable for name in vocabulary.hanging_on(source)}

    def _named(self, finding: str, aspect: str) -> str:
        """Return the name of a column about `finding`; as given it has another, where the two may differ."""
        given = " as given" if self.before is None and finding in self._touched else ""
        return f"{finding} {aspect}{given}"

    # values

    def value(self, name: str) -> str:
        """Return the value of a finding; of a calculated one NULL where it has none, else as `Cells.none` says."""
        if name in self.knowledge.calculated:
            formula = self.knowledge.calculated[name].formula
            column = self._named(name, "calculated")
            return self.columns.add(column, lambda: figure(formula, self.value, self.numbers))
        given = self.cells.value(name)
        if self.before is None or name not in self.refusable:
            return given
        none = self.cells.none(self.knowledge.findings[name])
        return self.columns.add(
            f"{name} kept", lambda: f"CASE WHEN {self.contradicted(name)} THEN {none} ELSE {given} END"
        )

    def without(self, name: str) -> str:
        """Return that a finding has no value."""
        item = self.knowledge.vocabulary[name]
        if isinstance(item, Finding) and item.type == "any of":
            gone = [] if self.before is None or name not in self.refusable else [self.contradicted(name)]
            return some([*gone, self.cells.without(name)])
        return without(self.value(name), item)

    def numbers(self, name: str) -> list[str]:
        """Return the numbers of a series from its end."""
        given = self.cells.numbers(name)
        if self.before is None or name not in self.refusable:
            return given
        kept = f"CASE WHEN NOT {self.contradicted(name)} THEN {{}} END"
        return [self.columns.add(f"{name} {p} from the end, kept", kept.format(n)) for p, n in enumerate(given, 1)]

    def contradicted(self, name: str) -> str:
        """Return that a contradiction refuses the answer to `name`."""
        rules = [rule for rule in self.knowledge.contradictions.values() if name in rule.refuse]
        return self.columns.add(
            f"{name} contradicted", lambda: every([self.cells.asked(name), some(map(self.contradiction, rules))])
        )

    def contradiction(self, rule: Contradiction) -> str:
        """Return that the answers as given contradict each other by `rule`."""
        judged = self.before or self
        return self.columns.add(f"contradiction {rule.id}", lambda: judged.condition(rule.when).surely)

    def refused(self, name: str) -> str:
        """Return that the answer to `name` is refused, as it stands in its cell or by a contradiction."""
        refused = self.cells.refused(name)
        if name not in self.refusable:
            return refused
        return self.columns.add(f"{name} refused", lambda: some([refused, self.contradicted(name)]))

    # standing

    def applies(self, name: str) -> Bounds:
        """Return whether a finding applies, whatever the open answers turn out to be."""
        condition = self.knowledge.findings[name].applies
        if condition is None:
            return settled(TRUE)
        bounds = self.condition(condition, ahead=True)
        return Bounds(
            self.columns.add(self._named(name, "applies"), bounds.surely),
            self.columns.add(self._named(name, "may apply"), bounds.possibly),
        )

    def _open(self, name: str) -> str:
        """Return that a finding has no value, and may apply."""
        item = self.knowledge.vocabulary[name]
        may_apply = TRUE if isinstance(item, Calculated) else self.applies(name).possibly
        return self.columns.add(self._named(name, "open"), lambda: every([self.without(name), may_apply]))

    def lacking(self, name: str) -> str:
        """Return that a finding has no value and does not apply."""
        item = self.knowledge.vocabulary[name]
        if isinstance(item, Calculated) or item.applies is None:
            return FALSE
        return every([self.without(name), negated(self.applies(name).possibly)])

    def unasked(self, name: str) -> str:
        """Return that a finding was not asked, though it applies or may."""
        return every([negated(self.cells.asked(name)), negated(self.lacking(name))])

    def inputs(self, name: str) -> tuple[str, ...]:
        """Return the findings from which one is calculated."""
        return self.knowledge.calculated[name].formula.inputs

    # conditions

    def condition(self, condition: Condition, *, ahead: bool = False) -> Bounds:
        """Return a condition on findings alone."""
        if isinstance(condition, Test):
            return self.test(condition, ahead=ahead)
        if isinstance(condition, Not):
            return self.condition(condition.of, ahead=ahead).opposite
        assert not isinstance(condition, Holds)
        return combined(condition, [self.condition(part, ahead=ahead) for part in condition.of])

    def test(self, test: Test, *, ahead: bool = False) -> Bounds:
        """Return what a test says of the row, as it stands or ahead of it."""
        if test.operator == "answered":
            return self._answered(test.finding, ahead=ahead)
        operands = " or ".join(sorted(test.words)) or " and ".join(f"{number:g}" for number in test.numbers)
        name = self._named(test.finding, f"{test.operator} {operands}".strip())
        item = self.knowledge.vocabulary[test.finding]
        if isinstance(item, Finding) and item.type == "any of":
            value, chosen = self.value(item.id), sum(self.cells.bit_of(item, word) for word in test.words)
            either = chosen | self.cells.bit_of(item, OPEN)
            possibly = every([f"(({value} & {either}) <> 0)", negated(self.lacking(item.id))])
            return Bounds(
                self.columns.add(name, f"(({value} & {chosen}) <> 0)"), self.columns.add(f"{name}, possibly", possibly)
            )
        surely = self.columns.add(name, lambda: self._compared(test))
        return Bounds(surely, some([surely, self._open(test.finding)]))

    def _answered(self, name: str, *, ahead: bool) -> Bounds:
        item = self.knowledge.vocabulary[name]
        answered = negated(self.without(name))
        if isinstance(item, Finding) and item.type == "any of":
            answered = f"(({self.value(name)} & {self.cells.bit_of(item, OPEN)}) = 0)"
        answered = self.columns.add(self._named(name, "answered"), answered)
        if not ahead:
            return settled(answered)
        if isinstance(item, Calculated):
            closed = every(negated(self.unasked(source)) for source in self.inputs(name))
        else:
            closed = some([self.cells.asked(name), self.lacking(name)])
        return Bounds(every([closed, answered]), some([negated(closed), answered]))

    def _compared(self, test: Test) -> str:
        value, item = self.value(test.finding), self.knowledge.vocabulary[test.finding]
        if isinstance(item, Finding) and item.values:
            return some(_within(value, *self.cells.places_of(item, word)) for word in item.values if word in test.words)
        if test.operator == "between":
            said = f"({value} BETWEEN {double(test.numbers[0])} AND {double(test.numbers[1])})"
        elif test.operator == "is":
            said = some(f"({value} = {double(number)})" for number in test.numbers)
        else:
            said = f"({value} {COMPARED[test.operator]} {double(test.numbers[0])})"
        return known_true(said)

    def deciding(self, name: str) -> list[Test]:
        """Return the tests that decide whether a finding applies."""
        item = self.knowledge.vocabulary[name]
        condition = None if isinstance(item, Calculated) else item.applies
        return [leaf for leaf in leaves(condition) if isinstance(leaf, Test)]


def combined(condition: All | AtLeast, parts: list[Bounds]) -> Bounds:
    """Return a condition that combines others."""
    return all_hold(parts) if isinstance(condition, All) else so_many_hold(condition.n, parts)


def _within(value: str, low: int, high: int) -> str:
    return f"({value} = {low})" if low == high else f"({value} BETWEEN {low} AND {high})"
