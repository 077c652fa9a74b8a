"""What follows from this case, and by which rules? Forward chaining with experta, exact trace included.

This is the only module that imports experta. It corrects what experta 1.9.4 gets wrong or slow, each through the
hook experta offers for it:

- its import on Python 3.10 and later (below the imports);
- its agenda, which can fire a rule whose NOT has become false (`TotalOrder`);
- its matcher, which tests every fact against every pattern (`TypedMatcher`, dispatch by type of fact).

Every clause of the program becomes productions: conjunctions of patterns. Alternatives inside a condition become
facts of their own (`Part`), so that a clause grows linearly into productions and fires once.
"""

from __future__ import annotations

import bisect
import collections
import collections.abc
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psoas.knowledge.conditions import (
    All,
    AtLeast,
    Condition,
    Holds,
    Not,
    Test,
    Value,
    negated,
)
from psoas.knowledge.program import Clause, Program
from psoas.memory import Standing, WorkingMemory

_handlers = list(logging.root.handlers)
if not hasattr(collections, "Mapping"):  # experta pins frozendict 1.2, which looks for it there
    collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
    import frozendict  # noqa: F401

    del collections.Mapping  # type: ignore[attr-defined]

from experta import NOT, Fact, InitialFact, KnowledgeEngine, P, Rule
from experta.abstract import Strategy
from experta.agenda import Agenda
from experta.matchers.rete import (
    ReteMatcher,
    nodes,
)
from experta.matchers.rete.token import Token

for _handler in set(logging.root.handlers) - set(_handlers):  # importing experta configures logging
    logging.root.removeHandler(_handler)


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule that fired: on which answers and conclusions, and what it established."""

    rule: str  # id of the clause
    findings: tuple[str, ...]  # the findings whose answers (or missing answers) made it true
    conclusions: tuple[str, ...]  # the symbols it built on
    established: tuple[str, ...]


class FindingFact(Fact):
    """The state of a finding; every finding has a subclass of its own, so that no test meets another's value."""

    finding = ""


class SymbolFact(Fact):
    """A symbol is established; a subclass each."""

    symbol = ""


class Part(Fact):
    """An alternative inside a condition holds; a subclass each."""


class Production(Rule):
    """An experta rule that knows what to do: the clause it stands for, or the part it establishes."""

    def __new__(cls, patterns: Iterable[Any], salience: int, heads: tuple[type, ...], **about: Any) -> Production:
        """Make the rule that asserts `heads` where `patterns` match; higher `salience` fires first."""
        rule: Production = super().__new__(cls, *patterns, salience=salience)
        rule.heads = heads
        rule.clause = about.get("clause")
        rule.unanswered = about.get("unanswered", ())  # findings whose missing answer is part of the reason
        return rule

    def __call__(self, engine: Inference, **context: Any) -> None:
        """Act: called by experta when the rule fires."""
        engine.record(self)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def __name__(self) -> str:
        return self.clause.id if self.clause else "part"


class TotalOrder(Strategy):
    """The agenda in a total order: salience (unique to each production here), then the facts."""

    def _update_agenda(self, agenda: Any, added: Iterable[Any], removed: Iterable[Any]) -> None:
        for activation in removed:
            activation.key = self._key(activation)
            place = bisect.bisect_left(agenda.activations, activation)
            if place < len(agenda.activations) and agenda.activations[place] == activation:
                del agenda.activations[place]
        for activation in added:
            activation.key = self._key(activation)
            bisect.insort(agenda.activations, activation)

    @staticmethod
    def _key(activation: Any) -> tuple[int, list[int]]:
        return activation.rule.salience, sorted(fact["__factid__"] for fact in activation.facts)


class TypedMatcher(ReteMatcher):
    """experta's network, wired so that a fact only meets the patterns of its own type."""

    def build_network(self) -> None:
        """Wire each production: its patterns in a row of joins, then a node of the conflict set."""
        self._alpha: dict[type, list[Any]] = {}  # type of fact → entry nodes
        self._terminals: dict[Any, Any] = {}  # (type, predicate) → node
        self._memories: list[Any] = []
        self._touched: list[Any] = []
        for rule in self.engine.get_rules():
            self._wire(rule)

    def _wire(self, rule: Production) -> None:
        current = self._terminal(rule[0])
        for pattern in rule[1:]:
            absent = isinstance(pattern, NOT)
            right = self._terminal(pattern[0] if absent else pattern)
            join = (nodes.NotNode if absent else nodes.OrdinaryMatchNode)(_always)
            current.add_child(join, join.activate_left)
            right.add_child(join, join.activate_right)
            self._memories.append(join)
            current = join
        conflict = nodes.ConflictSetNode(rule)
        self._memories.append(conflict)

        def activate(token: Any) -> None:
            self._touched.append(conflict)
            conflict.activate(token)

        current.add_child(conflict, activate)

    def _terminal(self, pattern: Any) -> Any:
        kind, predicate = type(pattern), pattern.get("value")
        node = self._terminals.get((kind, predicate))
        if node is None:
            node = nodes.FeatureTesterNode(_always if predicate is None else _on_value(predicate.match))
            self._terminals[kind, predicate] = node
            self._alpha.setdefault(kind, []).append(node)
        return node

    def changes(self, adding: Iterable[Any] = (), deleting: Iterable[Any] = ()) -> tuple[list[Any], list[Any]]:
        """Pass facts into the network; return the activations that came and went."""
        for facts, make in ((deleting, Token.invalid), (adding, Token.valid)):
            for fact in facts:
                token = make(fact)
                for entry in self._alpha.get(type(fact), ()):
                    entry.activate(token)
        added: list[Any] = []
        removed: list[Any] = []
        for node in self._touched:
            for target, activations in zip((added, removed), node.get_activations(), strict=True):
                target.extend(activations)
        self._touched.clear()
        return added, removed

    def reset(self) -> None:
        """Empty every memory of the network."""
        self._touched.clear()
        for node in self._memories:
            node._reset()
            if isinstance(node, nodes.ConflictSetNode):
                node.get_activations()


def _always(*anything: Any) -> bool:
    return True


def _on_value(predicate: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda fact: predicate(fact["value"])


class RememberingAgenda(Agenda):
    """An agenda that remembers the activation it hands out: experta does not pass its facts to the action."""

    current: Any = None

    def get_next(self) -> Any:
        """Return the next activation and keep it as `current`."""
        self.current = super().get_next()
        return self.current


class Inference(KnowledgeEngine):
    """An engine for one program. One instance a thread: experta keeps the state of a run in it."""

    __matcher__ = TypedMatcher
    __strategy__ = TotalOrder

    def __init__(self, program: Program) -> None:
        self._compiled = _Compilation(program)
        self._deffacts: list[Any] | None = None
        super().__init__()

    def get_rules(self) -> list[Production]:
        """Return the productions; experta would look for attributes, and lose those it has a name for."""
        return self._compiled.productions

    def get_deffacts(self) -> list[Any]:
        """Return experta's own initial fact, looked up once."""
        if self._deffacts is None:
            self._deffacts = list(super().get_deffacts())
        return self._deffacts

    def reset(self, **kwargs: Any) -> None:
        """Empty facts, agenda and trace."""
        self._supports: dict[type, dict[str, None]] = {}
        self._firings: list[Firing] = []
        super().reset(**kwargs)
        agenda = RememberingAgenda()
        agenda.activations = self.agenda.activations
        self.agenda: Any = agenda

    def fire(self, memory: WorkingMemory, given: Iterable[str] = ()) -> tuple[Firing, ...]:
        """Return the firings for `memory`, in order: layer by layer, by id within a layer.

        `given` are symbols that hold already, such as a level that no rule but their silence decided.
        """
        self.reset()
        self.declare(*self._facts(memory), *(self._compiled.symbols[s]() for s in given if s in self._compiled.symbols))
        self.run()
        return tuple(self._firings)

    def _facts(self, memory: WorkingMemory) -> Iterator[FindingFact]:
        for finding, kind in self._compiled.findings.items():
            state = memory[finding]
            if state is Standing.INAPPLICABLE or not isinstance(state, Standing):
                yield kind(value=state)

    def record(self, production: Production) -> None:
        """Act for a production: keep what supports it, and assert what it establishes."""
        support = {f"?{finding}": None for finding in production.unanswered}
        for fact in sorted(self.agenda.current.facts, key=lambda fact: int(fact["__factid__"])):
            if isinstance(fact, FindingFact):
                support[f"?{fact.finding}"] = None
            elif isinstance(fact, SymbolFact):
                support[fact.symbol] = None
            elif isinstance(fact, Part):
                support.update(self._supports[type(fact)])
        for head in production.heads:
            if issubclass(head, Part):
                self._supports.setdefault(head, {}).update(support)
            self.declare(head())
        if production.clause is not None:
            self._firings.append(
                Firing(
                    production.clause.id,
                    tuple(sorted(name[1:] for name in support if name.startswith("?"))),
                    tuple(sorted(name for name in support if not name.startswith("?"))),
                    production.clause.heads,
                )
            )


class _Compilation:
    """Clauses → productions, in the order in which they may fire."""

    def __init__(self, program: Program) -> None:
        self.findings: dict[str, type[FindingFact]] = {}
        self.symbols: dict[str, type[SymbolFact]] = {}
        self.productions: list[Production] = []
        self._patterns: dict[tuple[Test, bool], Any] = {}
        for clause in program.clauses:
            self._add_clause(clause)

    def _add_clause(self, clause: Clause) -> None:
        patterns, unanswered = self._conjunction(clause.when)
        if clause.unless is not None:
            blockers, _ = self._conjunction(clause.unless)
            if len(blockers) != 1 or isinstance(blockers[0], NOT):
                blockers = [self._part([(blockers, [])])()]
            patterns.append(NOT(blockers[0]))
        self._add(patterns, tuple(map(self._symbol, clause.heads)), clause=clause, unanswered=unanswered)

    def _add(self, patterns: list[Any], heads: tuple[type, ...], **about: Any) -> None:
        absent = [pattern for pattern in patterns if isinstance(pattern, NOT)]
        present = [pattern for pattern in patterns if not isinstance(pattern, NOT)]
        # a NOT cannot stand first: it needs something to be absent from
        patterns = [*(present or [InitialFact()]), *absent]
        self.productions.append(Production(patterns, -len(self.productions), heads, **about))

    def _conjunction(self, condition: Condition) -> tuple[list[Any], list[str]]:
        """Return `condition` as patterns that must all match, and the findings it wants unanswered."""
        if isinstance(condition, Not):
            if isinstance(condition.of, Test):
                return self._negative(condition.of)
            return self._conjunction(negated(condition.of))
        if isinstance(condition, Test):
            return [self._pattern(condition, True)], []
        if isinstance(condition, Holds):
            return [self._symbol(condition.symbol)()], []
        if isinstance(condition, All) or condition.n == len(condition.of):
            patterns: list[Any] = []
            unanswered: list[str] = []
            for part in condition.of:
                more, absent = self._conjunction(part)
                patterns += more
                unanswered += absent
            return patterns, unanswered
        return [self._counted(condition)()], []

    def _negative(self, test: Test) -> tuple[list[Any], list[str]]:
        if test.operator == "answered":
            return [NOT(self._pattern(test, True))], [test.finding]
        return [self._pattern(test, False)], []

    def _counted(self, condition: AtLeast) -> type[Part]:
        """Return a part that holds where n of m conditions do (sequential counter, Sinz 2005)."""
        parts = [self._conjunction(part) for part in condition.of]
        if condition.n == 1:
            return self._part(parts)
        counts: dict[tuple[int, int], type[Part]] = {}
        for last in range(1, len(parts) + 1):
            for count in range(max(1, condition.n - len(parts) + last), min(condition.n, last) + 1):
                ways: list[tuple[list[Any], list[str]]] = []
                if (last - 1, count) in counts:
                    ways.append(([counts[last - 1, count]()], []))
                patterns, unanswered = parts[last - 1]
                if count == 1:
                    ways.append((patterns, unanswered))
                elif (last - 1, count - 1) in counts:
                    ways.append(([*patterns, counts[last - 1, count - 1]()], unanswered))
                counts[last, count] = self._part(ways)
        return counts[len(parts), condition.n]

    def _part(self, ways: list[tuple[list[Any], list[str]]]) -> type[Part]:
        """Return a new part that holds where one of `ways` matches."""
        part = type("Part", (Part,), {})
        for patterns, unanswered in ways:
            self._add(patterns, (part,), unanswered=unanswered)
        return part

    def _pattern(self, test: Test, wanted: bool) -> Any:
        kind = self.findings.get(test.finding)
        if kind is None:
            kind = type(test.finding, (FindingFact,), {"finding": test.finding})
            self.findings[test.finding] = kind
        pattern = self._patterns.get((test, wanted))
        if pattern is None:
            pattern = self._patterns[test, wanted] = kind(value=P(_predicate(test, wanted)))
        return pattern

    def _symbol(self, symbol: str) -> type[SymbolFact]:
        kind = self.symbols.get(symbol)
        if kind is None:
            kind = self.symbols[symbol] = type(symbol, (SymbolFact,), {"symbol": symbol})
        return kind


def _predicate(test: Test, wanted: bool) -> Callable[[Value | Standing], bool]:
    """Return what a finding's fact must satisfy; a finding that does not apply fails every test."""
    return lambda state: (False if state is Standing.INAPPLICABLE else test.of(state)) is wanted  # type: ignore[arg-type]


def fire(program: Program, memory: WorkingMemory) -> tuple[Firing, ...]:
    """Return the firings of `program` on `memory`, in order. To judge many cases, keep one `Inference`."""
    return Inference(program).fire(memory)
