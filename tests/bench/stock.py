"""The same productions on experta as it comes: its own matcher, its own strategy, its own way of finding rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from psoas.knowledge.program import Program
from psoas.memory import Standing, WorkingMemory
from psoas.readings.fire import FindingFact, _Compilation

# isort: split
import experta  # can be imported only after the line above has mended what it needs
from experta.matchers import ReteMatcher


class StockMatcher(ReteMatcher):
    """experta's matcher as it is; only the list of nodes it keeps is its own and not shared by all engines.

    Shared, it holds one engine's list at a time, and two engines taking turns would each rebuild it at every step.
    """

    _get_conflict_set_nodes = lru_cache(maxsize=8)(ReteMatcher._get_conflict_set_nodes.__wrapped__)


class StockInference:
    """Fires a program on a plain `KnowledgeEngine`, built once and reset for each case.

    With `wide`, a case is one fact with a field for each finding instead of a fact each: of the ways to write the
    same rules for stock experta the quicker one.
    """

    def __init__(self, program: Program, *, wide: bool) -> None:
        self._compiled = _Compilation(program)
        self._wide = type("Answers", (experta.Fact,), {}) if wide else None
        self._fired: list[str] = []
        self._established: set[str] = set()
        namespace: dict[str, Any] = {f"rule_{n}": self._rule(p) for n, p in enumerate(self._compiled.productions)}
        namespace["__matcher__"] = StockMatcher
        self._engine = type("Stock", (experta.KnowledgeEngine,), namespace)()
        self._engine.reset()  # the first one looks for the nodes of the conflict set: a part of building

    def _rule(self, production: Any) -> Any:
        heads, clause = production.heads, production.clause

        def action(engine: Any) -> None:
            for head in heads:
                engine.declare(head())
            if clause is not None:
                self._fired.append(clause.id)
                self._established.update(clause.heads)

        # the salience is the production's own, and no two have the same: layers are kept, and no rule is lost
        return experta.Rule(*map(self._pattern, production), salience=production.salience)(action)

    def _pattern(self, pattern: Any) -> Any:
        if isinstance(pattern, experta.NOT):
            return experta.NOT(self._pattern(pattern[0]))
        if self._wide and isinstance(pattern, FindingFact):
            return self._wide(**{pattern.finding: pattern["value"]})
        return pattern

    def fire(self, memory: WorkingMemory) -> tuple[tuple[str, ...], frozenset[str]]:
        """Return the ids of the clauses that fired, in order, and what they established."""
        self._fired.clear()
        self._established.clear()
        self._engine.reset()
        self._engine.declare(*self._facts(memory))
        self._engine.run()
        return tuple(self._fired), frozenset(self._established)

    def _facts(self, memory: WorkingMemory) -> Iterator[Any]:
        states = {finding: memory[finding] for finding in self._compiled.findings}
        told = {f: s for f, s in states.items() if s is Standing.INAPPLICABLE or not isinstance(s, Standing)}
        if self._wide:
            yield self._wide(**told)
        else:
            yield from (self._compiled.findings[finding](value=state) for finding, state in told.items())
