"""The clauses of a program written in another language, one formula for each symbol: for peers that evaluate formulas.

A rule fires only where its condition is known to be true. So nothing three-valued is left once every `not` stands
before a test: a test is then wanted either known to be true or known to be false, and all else is and, or, at least.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from psoas.knowledge.conditions import All, Condition, Holds, Not, Test, negated
from psoas.knowledge.program import Clause, Program
from psoas.memory import Vocabulary

KINDS = {"any of": "words", "number": "number", "list of numbers": "numbers"}


def kinds(program: Program, vocabulary: Vocabulary) -> dict[str, str]:
    """Return each finding that `program` tests → "word", "words" (a set), "number" or "numbers"."""
    tested = dict.fromkeys(test.finding for clause in program.clauses for test in clause.tests())
    return {finding: KINDS.get(vocabulary.items[finding].type, "word") for finding in tested}


class Spelling(ABC):
    """How one language says a condition; `and`, `or` and `not` are the same in all of them."""

    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        self.kinds = kinds(program, vocabulary)
        self.findings = {finding: f"f{number}" for number, finding in enumerate(self.kinds)}
        self._by_head: dict[str, list[Clause]] = {}
        for clause in program.clauses:
            for head in clause.heads:
                self._by_head.setdefault(head, []).append(clause)
        # a symbol above all it depends on: the layers of the clauses that establish it say where
        ordered = sorted(self._by_head, key=lambda head: self._by_head[head][-1].layer)
        self.symbols = {symbol: f"s{number}" for number, symbol in enumerate(ordered)}

    def definitions(self) -> Iterator[tuple[str, str]]:
        """Yield each symbol's variable and its formula, every one after those it mentions."""
        for symbol, variable in self.symbols.items():
            yield variable, self._joined("or", map(self._clause, self._by_head[symbol]))

    def _clause(self, clause: Clause) -> str:
        when = self.condition(clause.when)
        return when if clause.unless is None else f"({when} and not {self.condition(clause.unless)})"

    def condition(self, condition: Condition) -> str:
        """Return the formula that is true where `condition` is known to be true."""
        if isinstance(condition, Test):
            return f"({self.known(condition, True)})"
        if isinstance(condition, Holds):
            return self.symbol(self.symbols[condition.symbol]) if condition.symbol in self.symbols else self.false
        if isinstance(condition, Not):
            inner = condition.of
            return f"({self.known(inner, False)})" if isinstance(inner, Test) else self.condition(negated(inner))
        parts = map(self.condition, condition.of)
        if isinstance(condition, All):
            return self._joined("and", parts) if condition.of else self.true
        return self._joined("or", parts) if condition.n == 1 else f"({self.count(parts)} >= {condition.n})"

    @staticmethod
    def _joined(word: str, parts: Iterable[str]) -> str:
        return f"({f' {word} '.join(parts)})"

    true, false = "true", "false"

    def symbol(self, variable: str) -> str:
        """Return how the value of a symbol worked out earlier is written."""
        return variable

    @abstractmethod
    def known(self, test: Test, wanted: bool) -> str:
        """Return the formula that `test` is known to be `wanted`."""

    @abstractmethod
    def count(self, parts: Iterable[str]) -> str:
        """Return the number of `parts` that are true."""


NUMERIC = {"is": "==", "at least": ">=", "at most": "<=", "more than": ">", "less than": "<"}


def compared(variable: str, test: Test) -> str:
    """Return the comparison a numeric test makes, in parentheses."""
    if test.operator == "between":
        return f"({variable} >= {test.numbers[0]} and {variable} <= {test.numbers[1]})"
    return "(" + " or ".join(f"{variable} {NUMERIC[test.operator]} {number}" for number in test.numbers) + ")"
