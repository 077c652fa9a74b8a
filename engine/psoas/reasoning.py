"""Firings → the graph of a case's reasons, and what can be read off it: certainty, chains, why, why not.

Nodes are `finding:…`, `rule:…` (one activation each), `conclusion:…`, `level:…` and `remedy:…`; the edges between
them are of the kinds in `EDGES`. The knowledge base's own cause-effect graph (`causal_graph`) is another graph: it
says what may follow in any case, this one what did in one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx

from psoas.knowledge.conditions import (
    All,
    Condition,
    Holds,
    Kleene,
    Not,
    Test,
    any_of,
    evaluate,
    leaves,
)
from psoas.knowledge.model import Knowledge, Remedy, Rule, Withholding
from psoas.knowledge.program import Clause, Program
from psoas.memory import WorkingMemory
from psoas.readings.fire import Firing
from psoas.readings.phrase import Phrases

EDGES = ("shows", "brings about", "contradicts", "treats", "withholds")
INFERENCE = ("shows", "brings about", "contradicts")
_EDGE_OF_RULE = {"sign": "shows", "mechanism": "brings about", "against": "contradicts"}


@dataclass(frozen=True, slots=True)
class Premise:
    """One part of a rule's condition, and how it stands: `met`, `unmet` or `open`."""

    says: str
    status: str
    findings: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyNot:
    """A rule that did not fire: the parts of its condition, and what blocked it although they hold."""

    rule: str
    premises: tuple[Premise, ...]
    blocked_by: tuple[str, ...]  # what its `unless` names and the case has

    @property
    def missing(self) -> int:
        """How many of its premises are not met."""
        return sum(premise.status != "met" for premise in self.premises)


class Reasoning:
    """The reasons of one case."""

    def __init__(
        self, knowledge: Knowledge, program: Program, memory: WorkingMemory, firings: tuple[Firing, ...]
    ) -> None:
        self.knowledge = knowledge
        self.program = program
        self.memory = memory
        self.firings = {firing.rule: firing for firing in firings}
        self.established = frozenset(symbol for firing in firings for symbol in firing.established)
        self.phrases = Phrases(knowledge)
        self._clauses: Mapping[str, Clause] = {clause.id: clause for clause in program.clauses}
        self._strength = {name: float(text) for name, text in knowledge.manifest.strengths.items()}
        self.graph = nx.DiGraph()
        for firing in firings:
            self._add(firing, self._clauses[firing.rule].origin)
        self._weigh()

    # building

    def _add(self, firing: Firing, origin: Rule | Remedy | Withholding) -> None:
        if isinstance(origin, Rule):
            self._add_rule(firing, origin)
        elif isinstance(origin, Remedy):
            self._add_node("remedy", origin.id)
            for conclusion in origin.treats:
                if conclusion in self.established:
                    self._add_edge(("remedy", origin.id), ("conclusion", conclusion), "treats")
        else:
            kept_back = [symbol.removeprefix("withheld ") for symbol in firing.established]
            indicated = [remedy for remedy in kept_back if remedy in self.established]
            for remedy in indicated:
                self._add_edge(("rule", origin.id), ("remedy", remedy), "withholds")
            if indicated:
                self._add_premises(firing, "withholds")

    def _add_rule(self, firing: Firing, rule: Rule) -> None:
        kind = _EDGE_OF_RULE[rule.kind]
        heads = [("conclusion", conclusion) for conclusion in rule.then] + (
            [("level", rule.level)] if rule.level else []
        )
        if rule.kind == "against":
            heads = [head for head in heads if head[1] in self.established]
        for head in heads:
            self._add_edge(("rule", rule.id), head, kind)
        if heads:
            self._add_premises(firing, kind)

    def _add_premises(self, firing: Firing, kind: str) -> None:
        for finding in firing.findings:
            self._add_edge(("finding", finding), ("rule", firing.rule), kind)
        for symbol in firing.conclusions:
            self._add_edge((self.kind_of(symbol), symbol), ("rule", firing.rule), kind)

    def _add_edge(self, source: tuple[str, str], target: tuple[str, str], kind: str) -> None:
        self.graph.add_edge(self._add_node(*source), self._add_node(*target), kind=kind)

    def _add_node(self, kind: str, name: str) -> str:
        node = f"{kind}:{name}"
        if node not in self.graph:
            self.graph.add_node(node, kind=kind, name=name)
        return node

    def kind_of(self, symbol: str) -> str:
        """Return `conclusion`, `remedy` or `level`: what `symbol` names."""
        if symbol in self.knowledge.conclusions:
            return "conclusion"
        return "remedy" if symbol in self.knowledge.remedies else "level"

    # certainty (docs/semantics.md, section 5)

    def _weigh(self) -> None:
        weights: dict[str, float] = {}
        for node in nx.topological_sort(self._inference):
            before = sorted(self._inference.predecessors(node))
            kind, name = self.graph.nodes[node]["kind"], self.graph.nodes[node]["name"]
            if kind == "rule":
                rule = self.knowledge.rules[name]
                strength = self._strength.get(rule.strength, 1.0)
                weights[node] = strength * self._degree(rule.when, weights)
            elif kind == "conclusion":
                edges = [(weights[rule], self.graph.edges[rule, node]["kind"]) for rule in before]
                weights[node] = combined(
                    [weight for weight, kind in edges if kind != "contradicts"],
                    [weight for weight, kind in edges if kind == "contradicts"],
                )
            else:
                weights[node] = 1.0
        nx.set_node_attributes(self.graph, {n: round(w, 4) for n, w in weights.items()}, "certainty")

    def _degree(self, condition: Condition, weights: Mapping[str, float]) -> float:
        """Return how certain a condition that holds is: all its parts as the least, any of them as the best."""
        if isinstance(condition, Holds):
            return weights.get(f"{self.kind_of(condition.symbol)}:{condition.symbol}", 0.0)
        if isinstance(condition, Test | Not):
            return 1.0 if self._value(condition) else 0.0
        degrees = sorted((self._degree(part, weights) for part in condition.of), reverse=True)
        needed = len(degrees) if isinstance(condition, All) else condition.n
        return degrees[needed - 1] if degrees else 1.0

    def certainty(self, conclusion: str) -> float:
        """Return the certainty of an established conclusion, from 0 to 1."""
        return float(self.graph.nodes[f"conclusion:{conclusion}"]["certainty"])

    # chains

    def rules_for(self, conclusion: str, *kinds: str) -> tuple[Rule, ...]:
        """Return the rules of these kinds that fired for `conclusion`, the weightiest first."""
        node = f"conclusion:{conclusion}"
        if node not in self.graph:
            return ()
        rules = [r for r in self.graph.predecessors(node) if self.graph.nodes[r]["kind"] == "rule"]
        found = [self.knowledge.rules[self.graph.nodes[r]["name"]] for r in rules]
        weight = {rule.id: self.graph.nodes[f"rule:{rule.id}"]["certainty"] for rule in found}
        return tuple(sorted((r for r in found if r.kind in kinds), key=lambda r: (-weight[r.id], r.id)))

    def chain(self, conclusion: str) -> tuple[list[str], list[Rule]]:
        """Return the chain from what was reported over `conclusion` to the outcome: ids, and the rules it rests on."""
        before, rules = self._origin(conclusion, frozenset())
        after, onward = self._onward(conclusion)
        return [*before, *after], [*rules, *onward]

    def _origin(self, conclusion: str, seen: frozenset[str]) -> tuple[list[str], list[Rule]]:
        """Return the best-supported way to `conclusion`; mechanisms, which explain, before signs.

        A way that begins with an answer that is nothing out of the ordinary comes after every other.
        """
        ways = []
        for rule in (*self.rules_for(conclusion, "mechanism"), *self.rules_for(conclusion, "sign")):
            firing = self.firings[rule.id]
            below = self._below(firing, seen)
            if below:
                best = max(sorted(below), key=lambda symbol: (self._is_cause(symbol), self.certainty(symbol)))
                path, rules = self._origin(best, seen | {conclusion})
                ways.append(([*path, best], [*rules, rule]))
            elif firing.findings:
                ways.append(([self._telling(firing)], [rule]))
            if ways and not self._is_ordinary(ways[-1][0][0]):
                return ways[-1]
        return ways[0] if ways else ([], [])

    def _below(self, firing: Firing, seen: frozenset[str]) -> list[str]:
        """Return the conclusions a chain may go on to; a summary only where the rule has nothing else."""
        below = [s for s in firing.conclusions if self.kind_of(s) == "conclusion" and s not in seen]
        found = [symbol for symbol in below if not self.is_summary(symbol)]
        telling = any(not self._is_ordinary(finding) for finding in firing.findings)
        return found if found or telling else below

    def is_summary(self, conclusion: str) -> bool:
        """Tell whether `conclusion` is nothing but its condition: each rule that fired for it has the full strength."""
        return all(self._strength.get(rule.strength) == 1 for rule in self.rules_for(conclusion, "sign", "mechanism"))

    def _is_ordinary(self, name: str) -> bool:
        """Tell whether `name` is a finding with an answer that says no more than that there is nothing."""
        item, state = self.knowledge.findings.get(name), self.memory[name] if name in self.knowledge.findings else None
        if item is None:
            return False
        if isinstance(state, frozenset):
            return state <= {*item.alone, item.clear}
        return state == ("no" if item.type == "yes-no" else item.clear or None)

    def _is_cause(self, conclusion: str) -> bool:
        """Tell whether `conclusion` is named as a cause, and not only a summary or a link."""
        kind = self.knowledge.conclusions[conclusion].kind
        return any(k.heading for k in self.knowledge.manifest.kinds if k.id == kind)

    def _telling(self, firing: Firing) -> str:
        """Return the finding to begin a chain with: answered, out of the ordinary, the first the rule names."""
        clause = self._clauses[firing.rule]
        written = [test.finding for test in clause.tests() if test.finding in firing.findings]
        return min(written, key=lambda f: (self.memory.is_open(f), self._is_ordinary(f), written.index(f)))

    def _onward(self, conclusion: str) -> tuple[list[str], list[Rule]]:
        """Return the best way from `conclusion` over mechanisms to the outcome; only itself where there is none.

        Best is the way over most links that the case shows by signs of their own, then the strongest.
        """
        start, end = f"conclusion:{conclusion}", f"conclusion:{self._outcome}"
        mechanisms = self._mechanisms
        if start not in mechanisms or end not in mechanisms:
            return [conclusion], []
        best: dict[str, tuple[tuple[int, float], list[str]]] = {start: ((0, 0.0), [start])}
        for node in nx.topological_sort(mechanisms):
            if node not in best:
                continue
            (shown, strength), path = best[node]
            for after in sorted(mechanisms.successors(node)):
                worth = (shown + self._is_shown(after), round(strength + self._weight_of(after), 6))
                if after not in best or worth > best[after][0]:
                    best[after] = (worth, [*path, after])
        if end not in best:
            return [conclusion], []
        nodes = [self.graph.nodes[node] for node in best[end][1]]
        return (
            [node["name"] for node in nodes if node["kind"] == "conclusion"],
            [self.knowledge.rules[node["name"]] for node in nodes if node["kind"] == "rule"],
        )

    def _is_shown(self, node: str) -> bool:
        return any(edge["kind"] == "shows" for _, _, edge in self.graph.in_edges(node, data=True))

    def _weight_of(self, node: str) -> float:
        """Return what a step into `node` adds to a path: the logarithm of a rule's strength, a little for the step."""
        if self.graph.nodes[node]["kind"] != "rule":
            return 0.0
        return math.log(self._strength.get(self.knowledge.rules[self.graph.nodes[node]["name"]].strength, 1.0)) - 0.01

    @cached_property
    def _mechanisms(self) -> Any:
        """The part of the graph in which one conclusion brings about the next."""
        edges = [
            (a, b)
            for a, b, kind in self.graph.edges(data="kind")
            if kind == "brings about" and not a.startswith("finding:")
        ]
        return nx.DiGraph(edges)

    @cached_property
    def _inference(self) -> Any:
        """The part of the graph that leads to conclusions and levels."""
        return nx.DiGraph([(a, b) for a, b, kind in self.graph.edges(data="kind") if kind in INFERENCE])

    @cached_property
    def _outcome(self) -> str:
        outcomes = {kind.id for kind in self.knowledge.manifest.kinds if kind.outcome}
        return next((c.id for c in self.knowledge.conclusions.values() if c.kind in outcomes), "")

    def weakest_evidence(self, rules: list[Rule]) -> str:
        """Return the weakest evidence grade among `rules`; empty where none has one."""
        scale = self.knowledge.manifest.evidence
        grades = [rule.evidence for rule in rules if rule.evidence]
        return max(grades, key=scale.index) if grades else ""

    # why

    def reported(self, node: str) -> tuple[str, ...]:
        """Return the findings behind `node`, through every rule that fired for it."""
        if node not in self._inference:
            return ()
        behind = nx.ancestors(self._inference, node)
        return tuple(sorted(self.graph.nodes[n]["name"] for n in behind if n.startswith("finding:")))

    # why not

    def why_not(self, clause_id: str) -> WhyNot:
        """Return how the condition of a rule that did not fire stands, part by part."""
        clause = self._clauses[clause_id]
        parts = clause.when.of if isinstance(clause.when, All) else (clause.when,)
        blocked: tuple[str, ...] = ()
        origin = clause.origin
        if isinstance(origin, Rule) and origin.unless and self._value(any_of(origin.unless)):
            blocked = tuple(self.phrases.condition(c) for c in origin.unless if self._value(c))
        return WhyNot(clause_id, tuple(self._premise(part) for part in parts), blocked)

    def nearly_fired(self) -> Iterator[WhyNot]:
        """Yield the rules that missed by one premise, or only by what blocks them; something must speak for them."""
        for clause in self.program.clauses:
            if clause.id in self.firings or not isinstance(clause.origin, Rule):
                continue
            why = self.why_not(clause.id)
            met = sum(premise.status == "met" for premise in why.premises)
            if (met and why.missing == 1) or (why.blocked_by and not why.missing):
                yield why

    def _premise(self, condition: Condition) -> Premise:
        value = self._value(condition)
        status = "met" if value else "open" if value is None else "unmet"
        tests = list(leaves(condition))
        return Premise(
            self.phrases.condition(condition),
            status,
            tuple(dict.fromkeys(leaf.finding for leaf in tests if isinstance(leaf, Test))),
            tuple(dict.fromkeys(leaf.symbol for leaf in tests if isinstance(leaf, Holds))),
        )

    def _value(self, condition: Condition) -> Kleene:
        return evaluate(condition, self.memory.now, self.holds)

    def holds(self, symbol: str) -> bool:
        """Return whether `symbol`, or for `any KIND` a conclusion of that kind, is established."""
        if symbol.startswith("any "):
            conclusions = self.knowledge.conclusions
            return any(conclusions[s].kind == symbol[4:] for s in self.established if s in conclusions)
        return symbol in self.established


def combined(supporting: list[float], opposing: list[float]) -> float:
    """Return one certainty from the weights for and against a conclusion, from 0 to 1.

    Either side combines by noisy-OR; the sides by (for - against) / (1 - min(for, against)), the rule of EMYCIN
    (van Melle 1980, after Shortliffe and Buchanan 1975), cut off at 0.
    """
    for_it = 1 - math.prod(1 - weight for weight in supporting)
    against = 1 - math.prod(1 - weight for weight in opposing)
    smaller = min(for_it, against)
    return max(0.0, (for_it - against) / (1 - smaller)) if smaller < 1 else 0.0


def causal_graph(knowledge: Knowledge) -> Any:
    """Return the knowledge base's own cause-effect graph: which conclusion may bring about which, by which rule.

    Nodes and edges are of the same kinds as a case's; nothing is established in it, so it has no certainty.
    """
    graph = nx.DiGraph()

    def node(kind: str, name: str) -> str:
        graph.add_node(f"{kind}:{name}", kind=kind, name=name)
        return f"{kind}:{name}"

    for rule in knowledge.rules.values():
        if rule.kind == "mechanism":
            kind = _EDGE_OF_RULE[rule.kind]
            for conclusion in rule.then:
                graph.add_edge(node("rule", rule.id), node("conclusion", conclusion), kind=kind)
            for symbol in sorted(_premises(rule.when) & set(knowledge.conclusions)):
                graph.add_edge(node("conclusion", symbol), node("rule", rule.id), kind=kind)
    return graph


def _premises(condition: Condition) -> set[str]:
    if isinstance(condition, Holds):
        return {condition.symbol}
    if isinstance(condition, Test | Not):
        return set()
    return set().union(*(_premises(part) for part in condition.of))
