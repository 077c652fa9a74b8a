"""How certain each conclusion is, in SQL (docs/semantics.md, section 5)."""

from __future__ import annotations

from psoas.knowledge.conditions import All, AtLeast, Condition, Holds, Test, leaves
from psoas.knowledge.model import Rule
from psoas.readings.screen.clauses import Clauses
from psoas.readings.screen.sql import double

ONE = "1e0"


class Certainties:
    """The columns of certainty."""

    def __init__(self, clauses: Clauses) -> None:
        self.clauses = clauses
        self.columns = clauses.columns
        self._strength = {name: float(said) for name, said in clauses.knowledge.manifest.strengths.items()}

    def of(self, conclusion: str) -> str:
        """Return the certainty of a conclusion; 0 where it is not established."""
        return self.columns.add(f"certainty {conclusion}", lambda: self._certainty(conclusion))

    def _certainty(self, conclusion: str) -> str:
        rules = self.clauses.rules_for(conclusion)
        against = [rule for rule in rules if rule.kind == "against"]
        said = self._combined([rule for rule in rules if rule.kind != "against"])
        if against:
            one = self.columns.add(f"for {conclusion}", said)
            two = self.columns.add(f"against {conclusion}", self._combined(against))
            said = f"CASE WHEN {one} > {two} THEN ({one} - {two}) / ({ONE} - {two}) ELSE 0e0 END"  # two is the less
        return f"CASE WHEN {self.clauses.holds(conclusion)} THEN {said} ELSE 0e0 END"

    def _combined(self, rules: list[Rule]) -> str:
        """Return the noisy-OR of the weights of those rules that fire."""
        product = " * ".join(f"({ONE} - {self._weight(rule)})" for rule in rules)
        return f"({ONE} - {product})" if rules else "0e0"

    def _weight(self, rule: Rule) -> str:
        return self.columns.add(f"weight {rule.id}", lambda: self._weighed(rule))

    def _weighed(self, rule: Rule) -> str:
        clause = self.clauses.clause(rule)
        strength = double(self._strength.get(rule.strength, 1.0))
        degree = self._degree(clause.when, holding=True)
        weight = strength if degree == ONE else f"{strength} * {degree}"
        return f"CASE WHEN {self.clauses.fires(clause)} THEN {weight} ELSE 0e0 END"

    def _degree(self, condition: Condition, *, holding: bool) -> str:
        """Return how certain a condition is. One on findings alone, where it must be `holding`, is certain."""
        if all(isinstance(leaf, Test) for leaf in leaves(condition)):
            return ONE if holding else f"(CASE WHEN {self.clauses.condition(condition).surely} THEN {ONE} ELSE 0e0 END)"
        if isinstance(condition, Holds):
            return self.of(condition.symbol)
        assert isinstance(condition, All | AtLeast), condition
        needed = len(condition.of) if isinstance(condition, All) else condition.n
        whole = holding and needed == len(condition.of)
        parts = [self._degree(part, holding=whole) for part in condition.of]
        parts = [part for part in parts if not whole or part != ONE]
        if not parts:
            return ONE
        return parts[0] if len(parts) == 1 else _greatest(needed if not whole else len(parts), parts)


def _greatest(place: int, parts: list[str]) -> str:
    """Return the greatest of `parts` but `place` - 1."""
    from itertools import combinations

    if place == 1:
        return f"greatest({', '.join(parts)})"
    if place == len(parts):
        return f"least({', '.join(parts)})"
    ways = [f"least({', '.join(way)})" for way in combinations(parts, place)]
    return f"greatest({', '.join(ways)})"
