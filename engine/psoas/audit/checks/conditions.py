"""Conditions wherever they stand: those that can never be true, are always true, or hold a part that changes nothing.

The conditions of rules are looked at in `rules.py`; here are their exceptions, and the conditions of everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psoas.audit.logic import Goal, Logic, Node
from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.knowledge.conditions import ALWAYS, All, AtLeast, Condition, Holds, Not, Test, any_of, leaves
from psoas.readings.phrase import Phrases


@dataclass(frozen=True)
class _Standing:
    """A condition, what it stands in and under which key, and what must hold for it to be looked at."""

    item: Any
    key: str
    condition: Condition
    given: tuple[Node, ...] = ()


def dead_condition(material: Material) -> Iterator[Flaw]:
    """Yield the conditions outside the `if` of rules that no case can make true where they are looked at."""
    logic, phrases = material.logic, Phrases(material.knowledge)
    for it in _conditions(material):
        if logic.possible([Goal(it.condition), *it.given]) is False:
            message = f"{it.item.id}: its {it.key}, “{phrases.condition(it.condition)}”, can never be true"
            yield flaw("dead-rule", "error", it.item, message + (" where it is looked at" if it.given else ""))


def always_true_condition(material: Material) -> Iterator[Flaw]:
    """Yield the conditions outside the `if` of rules that are always true, and tests there of every or no answer."""
    logic, phrases = material.logic, Phrases(material.knowledge)
    for it in _conditions(material):
        said = phrases.condition(it.condition)
        if it.condition != ALWAYS and logic.possible([Goal(it.condition, "not true")], logic.is_opaque) is False:
            yield flaw("always-true", "error", it.item, f"{it.item.id}: its {it.key}, “{said}”, is always true")
        if it.key != "unless":  # the tests of a rule's exceptions are looked at with those of its condition
            yield from tests_of_all_or_none(logic, phrases, it.item, it.condition)


def tests_of_all_or_none(logic: Logic, phrases: Phrases, item: Any, condition: Condition | None) -> Iterator[Flaw]:
    """Yield the tests in `condition` that every possible answer passes, or none."""
    for test in dict.fromkeys(leaf for leaf in leaves(condition) if isinstance(leaf, Test)):
        if test.operator == "answered":
            continue
        said = f"{item.id}: “{phrases.condition(test)}” ({test.finding}) is true of"
        answers = logic.answers(test.finding)
        if not answers & ~logic.mask(test, "true"):
            yield flaw("always-true", "error", item, f"{said} every answer")
        elif not answers & ~logic.mask(test, "false"):
            yield flaw("always-true", "error", item, f"{said} no answer")


def redundant_part(material: Material) -> Iterator[Flaw]:
    """A part of a condition that changes nothing, because the parts beside it say as much."""
    logic, phrases = material.logic, Phrases(material.knowledge)
    rules = (_Standing(clause.origin, "if", clause.when) for clause in logic.program.clauses)
    for it in (*rules, *_conditions(material)):
        for whole in _groups(it.condition):
            for number, part in enumerate(whole.of):
                rest = whole.of[:number] + whole.of[number + 1 :]
                if rest and _adds_nothing(logic, part, rest, every=isinstance(whole, All)):
                    said = phrases.condition(part)
                    where = "its condition" if it.key == "if" else f"its {it.key}"
                    message = f"{it.item.id}: “{said}” changes nothing beside the other parts of {where}"
                    yield flaw("redundant-part", "warning", it.item, message)
                    break


def _conditions(material: Material) -> Iterator[_Standing]:
    know, consistent = material.knowledge, material.consistent
    for clause in material.logic.program.clauses:
        if clause.unless is not None:
            yield _Standing(clause.origin, "unless", clause.unless)
    for item in know.contradictions.values():
        yield _Standing(item, "if of a contradiction", item.when)
    for finding in know.findings.values():
        if finding.applies is not None:
            yield _Standing(finding, "applies", finding.applies)
    for dispute in know.disagreements.values():
        yield _Standing(dispute, "bears", dispute.bears, consistent)
        earlier: list[Node] = [Goal(dispute.bears), *consistent]
        for settlement in dispute.settled:
            if settlement.when is not None:
                yield _Standing(dispute, "settled", settlement.when, tuple(earlier))
                earlier.append(Goal(settlement.when, "not true"))


def _groups(condition: Condition) -> Iterator[All | AtLeast]:
    """Yield each `all` and `any` in `condition`."""
    if isinstance(condition, Not):
        yield from _groups(condition.of)
    elif isinstance(condition, All | AtLeast):
        if isinstance(condition, All) or condition.n == 1:
            yield condition
        for part in condition.of:
            yield from _groups(part)


def _adds_nothing(logic: Logic, part: Condition, rest: tuple[Condition, ...], *, every: bool) -> bool:
    opaque = logic.is_opaque
    if every:  # the others being true, so is this
        return logic.possible([Goal(All(rest)), Goal(part, "not true")], opaque) is False
    return logic.possible([Goal(part), Goal(any_of(rest), "not true")], opaque) is False


def in_order(condition: Condition | None) -> object:
    """Return `condition` in a form in which the order of its parts does not count."""
    if condition is None or isinstance(condition, Test | Holds):
        return repr(condition) if not isinstance(condition, Test) else _test(condition)
    if isinstance(condition, Not):
        return "not", in_order(condition.of)
    n = len(condition.of) if isinstance(condition, All) else condition.n
    return n, len(condition.of), tuple(sorted(map(repr, map(in_order, condition.of))))


def _test(test: Test) -> str:
    return f"{test.finding} {test.operator} {sorted(test.words)} {test.numbers}"
