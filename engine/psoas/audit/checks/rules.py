"""Rules held against each other: twice the same, one within another, opposites, never firing, always true."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

from psoas.audit.checks.conditions import in_order, tests_of_all_or_none
from psoas.audit.logic import Goal, Logic, Within
from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.knowledge.conditions import ALWAYS, Holds, Test, leaves
from psoas.knowledge.model import Rule, Withholding
from psoas.knowledge.program import Clause, Program, withheld_by
from psoas.readings.phrase import Phrases

Ruling = Rule | Withholding


def identical_rules(material: Material) -> Iterator[Flaw]:
    """Two rules with the same condition, word for word in any order, and the same consequence."""
    for one, other in _alike(material):
        if _written(one) == _written(other):
            message = f"{other.id} says the same as {one.id} ({one.origin.place})"
            yield flaw("identical-rules", "error", other.origin, message, others=(one.id,))


SAME = {
    "remedies": ("name", "steps"),
    "disagreements": ("question",),
    "conclusions": ("name",),
    "findings": ("question",),
    "contradictions": ("when",),
}
"""What two items of a kind cannot have alike without being the same."""


def identical_items(material: Material) -> Iterator[Flaw]:
    """Two items other than rules that say the same: of one name, question, condition, or with the same steps."""
    for shelf, fields in SAME.items():
        items = sorted(material.knowledge.shelves[shelf].values(), key=lambda item: (item.place, item.id))
        for field in fields:
            first: dict[Any, Any] = {}
            for item in items:
                said = getattr(item, field)
                if said and first.setdefault(said, item) is not item:
                    other = first[said]
                    what = {"when": "if"}.get(field, field)
                    message = f"{item.id} has the same {what} as {other.id} ({other.place})"
                    yield flaw("identical-rules", "error", item, message, others=(other.id,))


def equivalent_rules(material: Material) -> Iterator[Flaw]:
    """Two rules that are written differently, fire in the same cases and have the same consequence."""
    logic = material.logic
    for one, other in _alike(material):
        if _written(one) != _written(other) and logic.implies(one, other) and logic.implies(other, one):
            message = f"{other.id} fires in the same cases as {one.id} ({one.origin.place})"
            yield flaw("equivalent-rules", "error", other.origin, message, others=(one.id,))


def subsumed_rule(material: Material) -> Iterator[Flaw]:
    """A rule that fires only where another with the same consequence fires anyway."""
    logic = material.logic
    for narrow, wide in permutations(_rulings(material), 2):
        if not _covers(material, narrow, wide) or not _related(narrow, wide):
            continue
        if not logic.implies(narrow, wide) or (_covers(material, wide, narrow) and logic.implies(wide, narrow)):
            continue
        adds = _weight(material, narrow) > 0 and not _level(narrow)
        message = f"{narrow.id} fires only where {wide.id} ({wide.origin.place}) fires too" + (
            ", so that the same facts count twice" if adds else ", and adds nothing to it"
        )
        yield flaw("subsumed-rule", "note" if adds else "error", narrow.origin, message, others=(wide.id,))


def dead_rule(material: Material) -> Iterator[Flaw]:
    """A rule or a withholding that fires in no case whatever."""
    for clause in _rulings(material):
        if material.logic.possible([*material.logic.fires(clause), *material.consistent]) is False:
            message = f"{clause.id} can never fire: {_why_dead(material, clause)}"
            yield flaw("dead-rule", "error", clause.origin, message)


def undecided(material: Material) -> Iterator[Flaw]:
    """A rule of which it was not found out in good time whether it can fire."""
    for clause in material.logic.program.clauses:
        if material.logic.possible(material.logic.fires(clause)) is None:
            message = f"{clause.origin.id}: it was not decided whether this can ever be so"
            yield flaw("undecided", "note", clause.origin, message)


def always_true(material: Material) -> Iterator[Flaw]:
    """A rule that fires in every case, or a test that every answer passes, or none."""
    logic, phrases = material.logic, Phrases(material.knowledge)
    for clause in logic.program.clauses:
        if clause.when != ALWAYS and logic.possible([Goal(clause.when, "not true")], logic.is_opaque) is False:
            yield flaw("always-true", "error", clause.origin, f"the condition of {clause.origin.id} is always true")
        elif isinstance(clause.origin, Rule) and logic.possible([logic.silent(clause)], logic.is_opaque) is False:
            yield flaw("always-true", "error", clause.origin, f"{clause.origin.id} fires in every case")
        elif _passes_all(logic, clause):
            message = f"the condition of {clause.origin.id} is true of every answer"
            yield flaw("always-true", "error", clause.origin, message)
        for condition in (clause.when, clause.unless):
            yield from tests_of_all_or_none(logic, phrases, clause.origin, condition)


def _passes_all(logic: Logic, clause: Clause) -> bool:
    """Tell whether the condition is true as soon as its questions are answered, whatever the answers."""
    tests = [leaf for leaf in leaves(clause.when) if isinstance(leaf, Test)]
    if len(tests) < 2 or any(test.operator == "answered" for test in tests):
        return False
    answered = [Within(test.finding, logic.answers(test.finding)) for test in tests]
    return logic.possible([Goal(clause.when, "not true"), *answered], logic.is_opaque) is False


def opposite_conclusions(material: Material) -> Iterator[Flaw]:
    """Two rules of which one shows, from the same facts, what the other speaks against or rules out."""
    rules = [clause for clause in material.logic.program.clauses if isinstance(clause.origin, Rule)]
    for one, other in combinations(rules, 2):
        opposed = _for_and_against(material, one, other) or _kept_apart(material, one, other)
        if opposed:
            message = f"{one.id} and {other.id} ({other.origin.place}) draw opposite conclusions from the same facts: "
            yield flaw("opposite-conclusions", "error", one.origin, message + opposed, others=(other.id,))
        exception = "" if opposed else _exception(material, one, other)
        if exception:
            yield flaw("opposite-conclusions", "note", one.origin, exception, others=(other.id,))


def cycle(material: Material) -> Iterator[Flaw]:
    """A rule that does not lie above everything it depends on. Circles are found before a check begins."""
    for clause, below in material.logic.layered():
        message = f"{clause.origin.id} depends on {below.origin.id}, which does not come before it"
        yield flaw("cycle", "error", clause.origin, message, others=(below.origin.id,))


def _rulings(material: Material) -> list[Clause]:
    return [c for c in material.logic.program.clauses if isinstance(c.origin, Ruling)]


def _alike(material: Material) -> Iterator[tuple[Clause, Clause]]:
    """Yield the pairs of rules with the same consequence, in the order of the files."""
    groups: dict[object, list[Clause]] = {}
    for clause in sorted(_rulings(material), key=lambda clause: (clause.origin.place, clause.id)):
        groups.setdefault(_consequence(material, clause), []).append(clause)
    for group in groups.values():
        yield from (pair for pair in combinations(group, 2) if _related(*pair))


def _consequence(material: Material, clause: Clause) -> object:
    rule = clause.origin
    if isinstance(rule, Rule):
        return frozenset(rule.then), rule.level, rule.kind == "against"
    assert isinstance(rule, Withholding)
    return frozenset(withheld_by(rule, material.knowledge))


def _covers(material: Material, narrow: Clause, wide: Clause) -> bool:
    """Tell whether `wide` has every consequence of `narrow`."""
    one, other = narrow.origin, wide.origin
    if isinstance(one, Rule) and isinstance(other, Rule):
        ranks = {level: number for number, level in enumerate(material.levels)}
        urgent = ranks.get(one.level, -1) <= ranks.get(other.level, -1) if one.level else not other.level
        return set(one.then) <= set(other.then) and urgent and _against(one) == _against(other)
    if isinstance(one, Withholding) and isinstance(other, Withholding):
        return set(withheld_by(one, material.knowledge)) <= set(withheld_by(other, material.knowledge))
    return False


def _against(rule: Rule) -> bool:
    return rule.kind == "against"


def _weight(material: Material, clause: Clause) -> float:
    strength = clause.origin.strength if isinstance(clause.origin, Rule) else ""
    return float(material.knowledge.manifest.strengths.get(strength, 0)) % 1


def _level(clause: Clause) -> str:
    return clause.origin.level if isinstance(clause.origin, Rule) else ""


def _related(one: Clause, other: Clause) -> bool:
    """Tell whether the conditions mention anything in common, or a summary; otherwise neither implies the other."""
    names = [{t.finding for t in c.tests()} | {f"= {s}" for s in c.symbols()} for c in (one, other)]
    return bool(names[0] & names[1]) or any(name.startswith("= ") for name in names[0] | names[1])


def _written(clause: Clause) -> object:
    return in_order(clause.when), in_order(clause.unless)


def _why_dead(material: Material, clause: Clause) -> str:
    logic = material.logic
    missing = [s for s in clause.symbols() if logic.possible([Goal(Holds(s))]) is False]
    if missing and logic.possible([Goal(clause.when)]) is False:
        return f"it needs {missing[0]}, which no rule can establish"
    if clause.unless is not None and logic.possible([Goal(clause.when)]):
        return "wherever its if: is true, its unless: is true too"
    return "no case can meet all of its condition at once"


def _same_facts(one: Clause, other: Clause) -> bool:
    names = [frozenset(leaf for c in (x.when, x.unless) for leaf in map(_name, leaves(c))) for x in (one, other)]
    return names[0] == names[1]


def _name(leaf: Test | Holds) -> str:
    return leaf.finding if isinstance(leaf, Test) else f"= {leaf.symbol}"


def _for_and_against(material: Material, one: Clause, other: Clause) -> str:
    """Return how one of two rules never counts without the other counting against it; empty if it can."""
    first, second = one.origin, other.origin
    assert isinstance(first, Rule)
    assert isinstance(second, Rule)
    shared = sorted(set(first.then) & set(second.then))
    if not shared or _against(first) == _against(second):
        return ""
    shows, opposes = (other, one) if _against(first) else (one, other)
    never = material.logic.implies(shows, opposes)
    if never or (_same_facts(one, other) and material.logic.implies(opposes, shows)):
        return f"{shows.id} shows {shared[0]}, {opposes.id} counts against it"
    return ""


def _exception(material: Material, one: Clause, other: Clause) -> str:
    """Return how one of two rules counts against a conclusion only where the other shows it; empty if it does not."""
    first, second = one.origin, other.origin
    assert isinstance(first, Rule)
    assert isinstance(second, Rule)
    shared = sorted(set(first.then) & set(second.then))
    if not shared or _against(first) == _against(second):
        return ""
    shows, opposes = (other, one) if _against(first) else (one, other)
    if not material.logic.implies(opposes, shows):
        return ""
    return (
        f"{opposes.id} counts against {shared[0]} only where {shows.id} ({shows.origin.place}) shows it; "
        "right, if it is an exception to that sign"
    )


def _kept_apart(material: Material, one: Clause, other: Clause) -> str:
    """Return which conclusions of two rules that fire together nothing else lets be true together; empty if none."""
    first, second = one.origin, other.origin
    assert isinstance(first, Rule)
    assert isinstance(second, Rule)
    alike = set(first.then) & set(second.then) or _against(first) or _against(second)
    if alike or not _same_facts(one, other) or not _overlap(material.logic, one, other):
        return ""
    without = Logic(material.knowledge, Program(c for c in material.logic.program.clauses if c not in (one, other)))
    for here in first.then:
        for there in second.then:
            apart = without.possible([Goal(Holds(here)), Goal(Holds(there))]) is False
            if apart and all(without.possible([Goal(Holds(c))]) for c in (here, there)):
                return f"{here} and {there}, which nothing else lets be true together"
    return ""


def _overlap(logic: Logic, one: Clause, other: Clause) -> bool:
    """Tell whether one of the two fires only where the other does."""
    return logic.implies(one, other) or logic.implies(other, one)
