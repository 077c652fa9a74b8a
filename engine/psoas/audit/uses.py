"""Who uses which finding: every test that stands anywhere, and every number that is calculated from or filled in."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.knowledge.conditions import Condition, Test, leaves
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import compile_program


def uses(knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """Return finding → ids of the items that use it; every finding is a key."""
    used: dict[str, dict[str, None]] = {name: {} for name in knowledge.vocabulary}
    for test, item in tests_of(knowledge):
        used[test.finding][item] = None
    for calculated in knowledge.calculated.values():
        for name in calculated.formula.inputs:
            used[name][calculated.id] = None
    amounts = [(remedy.id, dose.amount) for remedy in knowledge.remedies.values() for dose in remedy.dose]
    for name, by in used.items():
        by.update((remedy, None) for remedy, amount in amounts if f"{{{name}}}" in amount)
    return {name: tuple(by) for name, by in used.items()}


def tests_of(knowledge: Knowledge) -> Iterator[tuple[Test, str]]:
    """Yield every test that stands anywhere, with the id of the item it stands in."""
    for item, condition in _conditions(knowledge):
        yield from ((leaf, item) for leaf in leaves(condition) if isinstance(leaf, Test))


def _conditions(knowledge: Knowledge) -> Iterator[tuple[str, Condition | None]]:
    for clause in compile_program(knowledge).clauses:
        yield from ((clause.origin.id, condition) for condition in (clause.when, clause.unless))
    yield from ((finding.id, finding.applies) for finding in knowledge.findings.values())
    yield from ((item.id, item.when) for item in knowledge.contradictions.values())
    for dispute in knowledge.disagreements.values():
        yield dispute.id, dispute.bears
        yield from ((dispute.id, settlement.when) for settlement in dispute.settled)
