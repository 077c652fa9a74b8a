"""The same clauses on zen-engine (GoRules), as a decision graph compiled once.

The graph is one expression node: a line for each symbol, which refers to those above it by `$`. Tried on the shipped
knowledge base, microseconds a case with the states at hand: this graph given as text, which compiles it anew for each
case, 870; a node for each layer, 330; `ZenDecisionContent`, which compiles it once, 270; the case as a JSON text
instead of a dict, 300; a static loader, 340; `evaluate_batch` on 24 cases, 390; the lines as one compiled expression
without a graph, with four shapes of result, 300 to 430. A graph that does nothing takes 90: what it costs to carry a
case over and back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import zen

from bench.spelling import Spelling, compared
from psoas.knowledge.conditions import Test
from psoas.knowledge.program import Program
from psoas.memory import Standing, State, Vocabulary, WorkingMemory


class ZenInference:
    """A program as a decision of zen-engine."""

    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        self._spelling = spelling = _Zen(program, vocabulary)
        expressions = [{"id": name, "key": name, "value": formula} for name, formula in spelling.definitions()]
        nodes = [
            {"id": "in", "type": "inputNode", "name": "in"},
            {"id": "rules", "type": "expressionNode", "name": "rules", "content": {"expressions": expressions}},
            {"id": "out", "type": "outputNode", "name": "out"},
        ]
        edges = [
            {"id": f"{one} {other}", "type": "edge", "sourceId": one, "targetId": other}
            for one, other in (("in", "rules"), ("rules", "out"))
        ]
        content = zen.ZenDecisionContent(json.dumps({"nodes": nodes, "edges": edges}))
        self._decision = zen.ZenEngine().create_decision(content)
        self._names = {variable: symbol for symbol, variable in spelling.symbols.items()}

    def conclude(self, memory: WorkingMemory) -> frozenset[str]:
        """Return the symbols that hold in the case."""
        context: dict[str, Any] = {}
        for finding, variable, kind in self._spelling.inputs:
            _put(context, variable, kind, memory[finding])
        result = self._decision.evaluate(context)["result"]
        names = self._names
        return frozenset([names[variable] for variable, value in result.items() if value])


def _put(context: dict[str, Any], variable: str, kind: str, state: State) -> None:
    """Give the context one state. A comparison with null is an error in zen, so sets are never null."""
    away = state is Standing.INAPPLICABLE
    if kind == "word":
        context[variable] = "away" if away else None if isinstance(state, Standing) else state
        return
    if kind == "numbers":  # nothing is asked of a series but whether it is there
        context[variable] = None if isinstance(state, Standing) else True
        return
    context[variable + "away"] = away
    if kind == "words":
        context[variable] = list(state) if isinstance(state, frozenset) else []
    else:
        context[variable] = state if isinstance(state, float) else None


class _Zen(Spelling):
    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        super().__init__(program, vocabulary)
        self.inputs = [(finding, variable, self.kinds[finding]) for finding, variable in self.findings.items()]

    def symbol(self, variable: str) -> str:
        return f"$.{variable}"

    def known(self, test: Test, wanted: bool) -> str:
        it, kind = self.findings[test.finding], self.kinds[test.finding]
        value = f"len({it}) > 0 and not ('unknown' in {it})" if kind == "words" else f"{it} != null"
        if test.operator == "answered":
            value += f" and {it} != 'away'" if kind == "word" else ""
            return value if wanted else f"not ({value})"
        if kind == "words":
            holds = f"({' or '.join(f'{word!r} in {it}' for word in sorted(test.words))})"
            return holds if wanted else f"{it}away or ({value} and not {holds})"
        if kind == "word":
            words = sorted(test.words)
            holds = f"{it} == {words[0]!r}" if len(words) == 1 else f"{it} in {words}"
            return holds if wanted else f"{value} and not ({holds})"
        holds = compared(it, test)
        return f"{value} and {holds}" if wanted else f"{it}away or ({value} and not {holds})"

    def count(self, parts: Iterable[str]) -> str:
        return " + ".join(f"({part} ? 1 : 0)" for part in parts)
