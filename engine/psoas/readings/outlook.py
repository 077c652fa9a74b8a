"""What could the questions not yet asked still change, if what is unknown stays unknown?

`foresee` asks what may be *true*, and so leaves open what hides behind an `unknown`: safety needs that. An interview
asks what this person's answers may still bring about: an answer `unknown` has been given, and a rule that needs it
will not fire. Here the value of a condition is the span of values it can still come to have, on the scale false,
unknown, true; `all` is the least of its parts, `any` the greatest, so a span goes through them end by end.

What decides a condition is likewise asked for one end of the scale: a rule cares whether its `if` comes to be true, a
`not` whether its part comes to be false. A part that cannot come to be so decides nothing, however open it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar

from psoas.knowledge.conditions import All, AtLeast, Condition, Holds, Kleene, Not, Test
from psoas.knowledge.model import Answerable, Calculated
from psoas.knowledge.program import Clause, Program
from psoas.memory import Standing, WorkingMemory
from psoas.readings.foresee import Evaluation

FALSE, UNKNOWN, TRUE = 0, 1, 2
Truth: TypeAlias = tuple[int, int]
"""The least and the greatest value a condition can still come to have."""

N = TypeVar("N", int, float)
NEVER, ALWAYS, ANY = (FALSE, FALSE), (TRUE, TRUE), (FALSE, TRUE)


def needed(condition: All | AtLeast, parts: list[tuple[N, N]]) -> tuple[N, N]:
    """Return the span of a condition from those of its parts: of `all` the least, of `at least n` the n-th greatest."""
    nth = len(parts) if isinstance(condition, All) else condition.n
    lows, highs = (sorted(ends, reverse=True) for ends in zip(*parts, strict=True))
    return lows[nth - 1], highs[nth - 1]


class Outlook(Evaluation):
    """Of every clause and symbol: it will hold (True), will not (False), or depends on what is not asked (None)."""

    def __init__(self, program: Program, memory: WorkingMemory, assumed: Mapping[str, Kleene] | None = None) -> None:
        """`assumed` says of symbols how they stand beside what the clauses establish: the level of a case."""
        self._assumed = assumed or {}
        self._open: dict[int, frozenset[str]] = {}
        self._deciding: dict[str, frozenset[str]] = {}
        super().__init__(program, memory, foreseen=True)

    def __getitem__(self, symbol: str) -> Kleene:
        """Return whether `symbol` will hold; one that no clause concludes, and that is not assumed, will not."""
        return self._joined([self._assumed.get(symbol, False), super().__getitem__(symbol)])

    def _value(self, clause: Clause) -> Kleene:
        low, high = self.truth(clause.when)
        if high < TRUE:
            return False
        blocked = NEVER if clause.unless is None else self.truth(clause.unless)
        if blocked[0] == TRUE:
            return False
        return True if low == TRUE and blocked[1] < TRUE else None

    def truth(self, condition: Condition) -> Truth:
        """Return the least and the greatest value `condition` can still come to have."""
        if isinstance(condition, Test):
            return self._test_truth(condition)
        if isinstance(condition, Holds):
            value = self[condition.symbol]
            return ANY if value is None else ALWAYS if value else NEVER
        if isinstance(condition, Not):
            low, high = self.truth(condition.of)
            return TRUE - high, TRUE - low
        if not condition.of:
            return ALWAYS
        return needed(condition, [self.truth(part) for part in condition.of])

    def _test_truth(self, test: Test) -> Truth:
        state = self.memory[test.finding]
        if state is Standing.INAPPLICABLE:
            return NEVER
        if state is Standing.UNASKED and self._may_get_a_value(test.finding):
            return ANY
        if isinstance(state, Standing):
            return self._without_value(test)
        value = test.of(state)
        return ALWAYS if value else NEVER if value is False else (UNKNOWN, UNKNOWN)

    def _without_value(self, test: Test) -> Truth:
        if test.operator == "answered":
            return NEVER
        return (FALSE if self._may_not_apply(self.memory.vocabulary.items[test.finding]) else UNKNOWN), UNKNOWN

    def _may_not_apply(self, item: Answerable) -> bool:
        """Tell whether it may still turn out that `item` does not apply."""
        return not isinstance(item, Calculated) and item.applies is not None and self.truth(item.applies)[0] == FALSE

    def _may_get_a_value(self, finding: str) -> bool:
        item = self.memory.vocabulary.items[finding]
        if not isinstance(item, Calculated):
            return True
        return not any(self.memory[name] in (Standing.UNKNOWN, Standing.INAPPLICABLE) for name in item.formula.inputs)

    def open_findings(self, number: int) -> Iterator[str]:
        """Yield the findings not asked on which it depends whether the clause with that number fires."""
        found = self._open.get(number)
        if found is None:
            open_ = self.clauses[number] is None
            found = self._open[number] = frozenset(super().open_findings(number) if open_ else ())
        yield from found

    def open_leaves(self, condition: Condition, end: int = TRUE) -> Iterator[str]:
        """Yield the findings not asked on which it depends whether `condition` comes to be true, or false (`end`)."""
        low, high = self.truth(condition)
        if not (low < TRUE == high if end == TRUE else low == FALSE < high):
            return
        if isinstance(condition, Test):
            yield from self._open_inputs(condition.finding)
        elif isinstance(condition, Holds):
            yield from self.deciding(condition.symbol)
        elif isinstance(condition, Not):
            yield from self.open_leaves(condition.of, TRUE - end)
        else:
            for part in condition.of:
                yield from self.open_leaves(part, end)

    def _open_inputs(self, finding: str) -> Iterator[str]:
        item = self.memory.vocabulary.items[finding]
        if isinstance(item, Calculated):
            for name in item.formula.inputs:
                yield from self._open_inputs(name)
            return
        if item.applies is not None and isinstance(self.memory[finding], Standing):
            yield from self.open_leaves(item.applies, FALSE)
        if self.memory[finding] is Standing.UNASKED:
            yield finding

    def deciding(self, symbol: str) -> frozenset[str]:
        """Return the findings not asked on which it depends whether `symbol` will hold."""
        if self[symbol] is not None:
            return frozenset()
        found = self._deciding.get(symbol)
        if found is None:
            numbers = self.program.by_head.get(symbol, ())
            found = self._deciding[symbol] = frozenset(f for n in numbers for f in self.open_findings(n))
        return found
