"""The knowledge as clauses: the one list that every reading reads.

A rule, a triage rule, a remedy's indication and a withholding are all "if … unless …, then". Here each becomes a
`Clause` about symbols (conclusions, levels, indicated remedies, withheld remedies), in layers: a clause's layer lies
above the layers of all it depends on, so that reading the list from front to back meets every premise settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from psoas.faults import Fault, Unusable
from psoas.knowledge.conditions import (
    All,
    AtLeast,
    Condition,
    Holds,
    Not,
    Test,
    all_of,
    any_of,
    leaves,
)
from psoas.knowledge.model import Knowledge, Remedy, Rule, Withholding

Origin: TypeAlias = Rule | Remedy | Withholding


def withheld(remedy: str) -> str:
    """Return the symbol for "`remedy` is withheld"."""
    return f"withheld {remedy}"


@dataclass(frozen=True, slots=True)
class Clause:
    """`heads` are established where `when` is true and `unless` is not true."""

    id: str
    heads: tuple[str, ...]
    when: Condition
    unless: Condition | None
    origin: Origin
    layer: int = 0

    def symbols(self) -> Iterator[str]:
        """Yield the symbols this clause depends on."""
        for leaf in (*leaves(self.when), *leaves(self.unless)):
            if isinstance(leaf, Holds):
                yield leaf.symbol

    def tests(self) -> Iterator[Test]:
        """Yield the tests of findings in this clause."""
        for leaf in (*leaves(self.when), *leaves(self.unless)):
            if isinstance(leaf, Test):
                yield leaf


class Program:
    """Clauses in the order (layer, id), with indexes from findings and symbols to the clauses that use them."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self.clauses: tuple[Clause, ...] = tuple(sorted(clauses, key=lambda clause: (clause.layer, clause.id)))

    @cached_property
    def by_head(self) -> Mapping[str, tuple[int, ...]]:
        """Symbol → indexes of the clauses that establish it."""
        return self._index(lambda clause: clause.heads)

    @cached_property
    def by_symbol(self) -> Mapping[str, tuple[int, ...]]:
        """Symbol → indexes of the clauses that depend on it."""
        return self._index(lambda clause: clause.symbols())

    @cached_property
    def by_finding(self) -> Mapping[str, tuple[int, ...]]:
        """Finding → indexes of the clauses that test it."""
        return self._index(lambda clause: (test.finding for test in clause.tests()))

    def _index(self, keys: Callable[[Clause], Iterable[str]]) -> dict[str, tuple[int, ...]]:
        index: dict[str, dict[int, None]] = {}
        for number, clause in enumerate(self.clauses):
            for key in keys(clause):
                index.setdefault(key, {})[number] = None
        return {key: tuple(numbers) for key, numbers in index.items()}

    def behind(self, symbols: Iterable[str]) -> Program:
        """Return the part of the program that `symbols` depend on."""
        heads = (number for symbol in symbols for number in self.by_head.get(symbol, ()))
        return Program(self.clauses[number] for number in self.below(heads))

    def below(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return the indexes of those clauses and of all they depend on."""
        found: set[int] = set()
        pending = list(numbers)
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                for symbol in self.clauses[number].symbols():
                    pending += self.by_head.get(symbol, ())
        return frozenset(found)


@lru_cache(maxsize=1)  # the checks of a knowledge base compile it already
def compile_program(knowledge: Knowledge) -> Program:
    """Return all of `knowledge` as a program. Raises `Unusable` naming each cycle among its symbols."""
    clauses = [*_rules(knowledge), *_indications(knowledge), *_withholdings(knowledge)]
    return Program(_layered(clauses))


def _rules(knowledge: Knowledge) -> Iterator[Clause]:
    for rule in knowledge.rules.values():
        # evidence against a conclusion never establishes it, so such a rule has a symbol of its own
        heads = () if rule.kind == "against" else (*rule.then, *((rule.level,) if rule.level else ()))
        yield Clause(
            rule.id,
            heads,
            _expanded(rule.when, knowledge),
            _expanded(any_of(rule.unless), knowledge) if rule.unless else None,
            rule,
        )


def _indications(knowledge: Knowledge) -> Iterator[Clause]:
    for remedy in knowledge.remedies.values():
        treated = [any_of(map(Holds, remedy.treats))] if remedy.treats else []
        extra = [_expanded(remedy.when, knowledge)] if remedy.when is not None else []
        yield Clause(f"indicates {remedy.id}", (remedy.id,), all_of(treated + extra), None, remedy)


def _withholdings(knowledge: Knowledge) -> Iterator[Clause]:
    for rule in knowledge.withholdings.values():
        heads = tuple(withheld(remedy) for remedy in withheld_by(rule, knowledge))
        yield Clause(rule.id, heads, _expanded(rule.when, knowledge), None, rule)


def withheld_by(rule: Withholding, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the ids of the remedies that `rule` keeps back, its traits resolved."""
    wanted = set(rule.withholds)
    return tuple(r.id for r in knowledge.remedies.values() if r.id in wanted or not wanted.isdisjoint(r.traits))


def _expanded(condition: Condition, knowledge: Knowledge) -> Condition:
    """Return `condition` with `any KIND` written out as the conclusions of that kind."""
    if isinstance(condition, Holds) and condition.symbol.startswith("any "):
        kind = condition.symbol.removeprefix("any ")
        return any_of(Holds(c.id) for c in knowledge.conclusions.values() if c.kind == kind)
    if isinstance(condition, All):
        return All(tuple(_expanded(part, knowledge) for part in condition.of))
    if isinstance(condition, AtLeast):
        return AtLeast(condition.n, tuple(_expanded(part, knowledge) for part in condition.of))
    if isinstance(condition, Not):
        return Not(_expanded(condition.of, knowledge))
    return condition


def _layered(clauses: list[Clause]) -> Iterator[Clause]:
    """Yield `clauses` with their layers. Every dependence counts alike, so `unless` always looks downwards."""
    by_head: dict[str, list[int]] = {}
    for number, clause in enumerate(clauses):
        # evidence against a conclusion must be weighed before anything is built on that conclusion
        for head in clause.heads or clause.origin.then if isinstance(clause.origin, Rule) else clause.heads:
            by_head.setdefault(head, []).append(number)
    below = {
        number: [other for symbol in clause.symbols() for other in by_head.get(symbol, ())]
        for number, clause in enumerate(clauses)
    }
    layers: dict[int, int] = {}
    try:
        for number in TopologicalSorter(below).static_order():
            layers[number] = 1 + max((layers[other] for other in below[number]), default=-1)
    except CycleError as error:
        circle = [clauses[number] for number in error.args[1]]
        names = " ← ".join(clause.id for clause in circle)
        first = min(clause.origin.place for clause in circle)
        raise Unusable([Fault(first, f"rules depend on each other in a circle: {names}")]) from error
    for number, clause in enumerate(clauses):
        yield Clause(clause.id, clause.heads, clause.when, clause.unless, clause.origin, layers[number])
