"""What could still follow, whatever the open answers turn out to be? Three-valued evaluation of the clauses.

Two evaluations share one engine. `established` reads the case as it stands, with negation as failure: what it
establishes is what `fire` must establish too. `foreseen` leaves open what is open: True holds in every completion of
the case, False in none, None is still open. Kleene's logic makes both verdicts sound; a None may hide a verdict that
only reasoning by cases would find, and errs on the side of asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush

from psoas.knowledge.conditions import Condition, Holds, Kleene, Test, evaluate, leaves
from psoas.knowledge.program import Clause, Program
from psoas.memory import WorkingMemory


class Evaluation:
    """The value of every clause and symbol of a program for one working memory."""

    def __init__(self, program: Program, memory: WorkingMemory, *, foreseen: bool) -> None:
        self.program = program
        self.memory = memory
        self._foreseen = foreseen
        self._test: Callable[[Test], Kleene] = memory.ahead if foreseen else memory.now
        self.clauses: list[Kleene] = []
        self._symbols: dict[str, Kleene] = {}
        for clause in program.clauses:
            self.clauses.append(self._value(clause))
            for head in clause.heads:
                self._symbols[head] = self._joined([self._symbols.get(head, False), self.clauses[-1]])

    def __getitem__(self, symbol: str) -> Kleene:
        """Return whether `symbol` is established; one that no clause concludes is not."""
        return self._symbols.get(symbol, False)

    def established(self) -> frozenset[str]:
        """Return the symbols that hold."""
        return frozenset(symbol for symbol, value in self._symbols.items() if value)

    def changed(
        self, memory: WorkingMemory, findings: Iterable[str], among: frozenset[int] | None = None
    ) -> Evaluation:
        """Return the evaluation for `memory`, which differs from this one's in `findings` only.

        With `among`, numbers of clauses and of all that stand behind them, it is right about those, and made faster.
        """
        other = Evaluation.__new__(Evaluation)
        other.program, other.memory, other._foreseen = self.program, memory, self._foreseen
        other._test = memory.ahead if self._foreseen else memory.now
        other.clauses, other._symbols = self.clauses.copy(), self._symbols.copy()
        by_finding = self.program.by_finding
        pending = {number for finding in findings for number in by_finding.get(finding, ())}
        other._settle(list(pending if among is None else pending & among), among)
        return other

    def _settle(self, pending: list[int], among: frozenset[int] | None) -> None:
        """Work the clauses in `pending` out again, front to back, and those (`among` all) that hang on what changes."""
        heapify(pending)
        last = -1
        while pending:
            number = heappop(pending)
            if number == last:
                continue
            last = number
            clause = self.program.clauses[number]
            value = self._value(clause)
            if value is self.clauses[number]:
                continue
            self.clauses[number] = value
            for head in clause.heads:
                joined = self._joined([self.clauses[other] for other in self.program.by_head[head]])
                if joined is not self._symbols[head]:
                    self._symbols[head] = joined
                    for dependent in self.program.by_symbol.get(head, ()):
                        if among is None or dependent in among:
                            heappush(pending, dependent)

    def _value(self, clause: Clause) -> Kleene:
        value = evaluate(clause.when, self._test, self.__getitem__)
        if clause.unless is None or value is False:
            return value
        blocked = evaluate(clause.unless, self._test, self.__getitem__)
        if not self._foreseen:  # negation as failure: what is not known to hold does not block
            return value if blocked is not True else False
        if blocked is False:
            return value
        return False if blocked else None

    def _joined(self, values: list[Kleene]) -> Kleene:
        if True in values:
            return True
        return None if self._foreseen and None in values else False

    def open_findings(self, number: int) -> Iterator[str]:
        """Yield the findings whose open answers keep the clause with that number open."""
        clause = self.program.clauses[number]
        for condition in (clause.when, clause.unless):
            if condition is not None:
                yield from self.open_leaves(condition)

    def open_leaves(self, condition: Condition) -> Iterator[str]:
        """Yield the findings whose open answers keep `condition` open."""
        if evaluate(condition, self._test, self.__getitem__) is not None:
            return
        if isinstance(condition, Test):
            yield from self._open_inputs(condition.finding)
        elif isinstance(condition, Holds):
            for number in self.program.by_head.get(condition.symbol, ()):
                if self.clauses[number] is None:
                    yield from self.open_findings(number)
        else:
            parts = condition.of if isinstance(condition.of, tuple) else (condition.of,)
            for part in parts:
                yield from self.open_leaves(part)

    def _open_inputs(self, finding: str) -> Iterator[str]:
        """Yield `finding`, and where it is open whether it applies at all, what decides that; inputs if calculated."""
        from psoas.knowledge.model import Finding

        item = self.memory.vocabulary.items[finding]
        if isinstance(item, Finding):
            if self.memory.applies(item) is None:
                for leaf in leaves(item.applies):
                    if isinstance(leaf, Test) and self.memory.ahead(leaf) is None:
                        yield from self._open_inputs(leaf.finding)
            yield finding
        else:
            yield from (name for name in item.formula.inputs if self.memory.is_open(name))


def established(program: Program, memory: WorkingMemory) -> Evaluation:
    """Return what the case as it stands establishes."""
    return Evaluation(program, memory, foreseen=False)


def foreseen(program: Program, memory: WorkingMemory) -> Evaluation:
    """Return what holds in every completion (True), in none (False), or is still open (None)."""
    return Evaluation(program, memory, foreseen=True)
