"""The cells of a finding: its states, cut so finely that every test says one thing of a whole cell.

A cell is no valid answer, not applying, a word, a set of words, a number on or between those that are tested for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import combinations, pairwise
from typing import Literal, TypeAlias

from psoas.knowledge.conditions import OPEN, Condition, Test, leaves
from psoas.knowledge.model import Calculated, Finding, Knowledge
from psoas.knowledge.program import Program
from psoas.memory import Standing, State

Mode: TypeAlias = Literal["true", "false", "not true", "not false"]
"""What a condition is to be."""


class Cells:
    """The cells of all findings of a knowledge base. Sets of cells are written as the bits of a number."""

    def __init__(self, knowledge: Knowledge, program: Program, also: Iterable[Condition | None] = ()) -> None:
        """`also` are conditions beside those of the knowledge that the cells are to tell apart."""
        self.knowledge = knowledge
        self._also = tuple(also)
        self.program = program
        self._vocabulary = knowledge.vocabulary
        self._cells: dict[str, tuple[State, ...]] = {}
        self._masks: dict[tuple[Test, Mode], int] = {}

    def cells(self, finding: str) -> tuple[State, ...]:
        """Return one state of `finding` for each cell; the first is the one without a valid answer."""
        if finding not in self._cells:
            item = self._vocabulary[finding]
            cells: list[State] = [Standing.UNASKED]
            if isinstance(item, Finding) and item.applies is not None:
                cells.append(Standing.INAPPLICABLE)
            self._cells[finding] = (*cells, *self._values(item))
        return self._cells[finding]

    def mask(self, test: Test, mode: Mode) -> int:
        """Return the cells in which `test` has the value that `mode` asks for, as bits."""
        found = self._masks.get((test, mode))
        if found is None:
            wanted = {"true": True, "false": False, "not true": True, "not false": False}[mode]
            found = 0
            for bit, state in enumerate(self.cells(test.finding)):
                if (_value(test, state) is wanted) is not mode.startswith("not"):
                    found |= 1 << bit
            self._masks[test, mode] = found
        return found

    def answers(self, finding: str) -> int:
        """Return the cells of `finding` with a value."""
        return self.mask(Test(finding, "answered"), "true")

    def inapplicable(self, finding: str) -> int:
        """Return the cell in which `finding` does not apply; no bit where it always does."""
        return sum(1 << bit for bit, state in enumerate(self.cells(finding)) if state is Standing.INAPPLICABLE)

    def _values(self, item: Finding | Calculated) -> Iterator[State]:
        if isinstance(item, Calculated) or item.type == "number":
            yield from self._numbers(item)
        elif item.type == "any of":
            yield from self._sets(item)
        elif item.type == "list of numbers":
            yield (0.0,)
        else:
            yield from item.values

    def _numbers(self, item: Finding | Calculated) -> Iterator[float]:
        """Yield each number that `item` is tested against, and one between each two and at the ends."""
        bounds = {number for test in self._tests.get(item.id, ()) for number in test.numbers}
        span = item.range if isinstance(item, Finding) else None
        if span:
            bounds = {bound for bound in bounds if bound in span} | {span.low, span.high}
        points = sorted(map(float, bounds)) or [0.0]
        if not span:
            points = [points[0] - 1, *points, points[-1] + 1]
        yield from points
        yield from ((low + high) / 2 for low, high in pairwise(points))

    def _sets(self, item: Finding) -> Iterator[State]:
        """Yield each set of words that a test could tell from another, whole and with the rest of it open."""
        words: dict[tuple[bool, ...], str] = {}
        tests = self._tests.get(item.id, ())
        for word in item.values:
            if word in item.alone:
                yield frozenset([word])
            else:
                words.setdefault(tuple(word in test.words for test in tests), word)
        for size in range(1, len(words) + 1):
            for chosen in combinations(words.values(), size):
                yield frozenset(chosen)
                yield frozenset([*chosen, OPEN])

    @cached_property
    def _tests(self) -> dict[str, list[Test]]:
        """Finding → every test of it that stands anywhere."""
        found: dict[str, dict[Test, None]] = {}
        know = self.knowledge
        conditions = [*self._also, *(c for clause in self.program.clauses for c in (clause.when, clause.unless))]
        conditions += [finding.applies for finding in know.findings.values()]
        conditions += [item.when for item in know.contradictions.values()]
        for dispute in know.disagreements.values():
            conditions += [dispute.bears, *(settlement.when for settlement in dispute.settled)]
        for condition in conditions:
            for leaf in leaves(condition):
                if isinstance(leaf, Test):
                    found.setdefault(leaf.finding, {})[leaf] = None
        return {finding: list(tests) for finding, tests in found.items()}


def _value(test: Test, state: State) -> bool | None:
    """Return what `test` says of a case as it stands, as WorkingMemory.now does."""
    if isinstance(state, Standing):
        return False if state is Standing.INAPPLICABLE or test.operator == "answered" else None
    return test.of(state)
