"""Can this be? Satisfiability of conditions over every possible case, exact as far as its budget goes.

A condition is true, false or unknown, and each finding is in one of finitely many *cells*: no valid answer, not
applying, a word, a set of words, a number on or between the numbers that it is tested against. So "this condition is
true" is a formula over sets of cells, and so are "false", "not true" and "not false"; a small search decides it.

Calculated numbers are taken as free of what they are calculated from, contradictions between answers are not looked
at, and a level may be given to any case. All of this allows more cases than there are: what is said to be impossible
is impossible, and what is said to be possible may not be. Where the search gives up, the answer is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from psoas.audit.cells import Cells, Mode
from psoas.knowledge.conditions import All, Condition, Holds, Not, Test
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Clause, Program, compile_program

OPPOSITE: dict[Mode, Mode] = {"true": "false", "false": "true", "not true": "not false", "not false": "not true"}
"""What is asked of the part of a `not`."""


@dataclass(frozen=True, slots=True)
class Goal:
    """That a condition is to have a value; where `hidden`, in the case as it is without the hidden finding."""

    of: Condition
    mode: Mode = "true"
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """That a finding, or a symbol taken as it comes, is in one of the cells of `mask`."""

    name: str
    mask: int


@dataclass(frozen=True, slots=True)
class Count:
    """That at least `n` of the goals are met."""

    n: int
    of: tuple[Node, ...]


Node: TypeAlias = Goal | Within | Count


class Exhausted(Exception):
    """The budget of a search is spent."""


@dataclass
class _Branch:
    """What a search has settled so far: the cells left to each finding, and the goals on symbols already met."""

    masks: dict[str, int]
    seen: set[tuple[str, bool, bool]]
    choices: list[Count] = field(default_factory=list)

    def copy(self) -> _Branch:
        return _Branch(dict(self.masks), set(self.seen), list(self.choices))


class Logic(Cells):
    """The possible cases of one knowledge base."""

    def __init__(
        self,
        knowledge: Knowledge,
        program: Program | None = None,
        budget: int = 4000,
        also: Iterable[Condition | None] = (),
    ) -> None:
        """`budget` is how many ways a search may try; `also` are conditions that it is to be asked about beside."""
        super().__init__(knowledge, program or compile_program(knowledge), also)
        self.budget = budget

    # questions

    def possible(
        self, goals: Iterable[Node], opaque: Callable[[str], bool] = lambda symbol: False, hidden: str = ""
    ) -> bool | None:
        """Tell whether some case meets all `goals`; None where that was not decided.

        Symbols that are `opaque` are taken as they come, without looking at what establishes them. Goals marked
        hidden are judged as if the finding `hidden` did not apply.
        """
        search = _Search(self, opaque, hidden)
        try:
            return search.run(list(goals))
        except Exhausted:
            return None

    def fires(self, clause: Clause, hidden: bool = False) -> list[Node]:
        """Return the goals that the clause fires."""
        goals: list[Node] = [Goal(clause.when, "true", hidden)]
        return goals + ([Goal(clause.unless, "not true", hidden)] if clause.unless is not None else [])

    def silent(self, clause: Clause, hidden: bool = False) -> Node:
        """Return the goal that the clause does not fire."""
        unmet = Goal(clause.when, "not true", hidden)
        return unmet if clause.unless is None else Count(1, (unmet, Goal(clause.unless, "true", hidden)))

    def implies(self, one: Clause, other: Clause) -> bool:
        """Tell whether `other` fires wherever `one` does. Only summaries are looked into."""
        return self.possible([*self.fires(one), self.silent(other)], self.is_opaque) is False

    def is_opaque(self, symbol: str) -> bool:
        """Tell whether `symbol` is more than a summary, that is, a name for its conditions."""
        return symbol not in self.summaries

    @cached_property
    def summaries(self) -> frozenset[str]:
        """The conclusions that are nothing but their conditions: every rule for them has the strength 1."""
        strengths = self.knowledge.manifest.strengths
        whole: dict[str, bool] = {}
        for rule in self.knowledge.rules.values():
            if rule.kind != "against":
                for conclusion in rule.then:
                    sure = not rule.level and float(strengths.get(rule.strength, 0)) == 1
                    whole[conclusion] = whole.get(conclusion, True) and sure
        return frozenset(conclusion for conclusion, sure in whole.items() if sure)

    def layered(self) -> Iterator[tuple[Clause, Clause]]:
        """Yield each clause with one that it depends on and that does not lie in a lower layer; there are none."""
        for clause in self.program.clauses:
            for symbol in clause.symbols():
                for number in self.program.by_head.get(symbol, ()):
                    if self.program.clauses[number].layer >= clause.layer:
                        yield clause, self.program.clauses[number]

    def concludes(self, symbol: str) -> list[Clause]:
        """Return the clauses that establish `symbol`."""
        return [self.program.clauses[number] for number in self.program.by_head.get(symbol, ())]


class _Search:
    """One search for a case."""

    def __init__(self, logic: Logic, opaque: Callable[[str], bool], hidden: str) -> None:
        self.logic = logic
        self.levels = {d.id for d in logic.knowledge.manifest.dispositions}
        self.opaque = opaque
        self.hidden = hidden
        self.left = logic.budget

    def run(self, goals: list[Node]) -> bool:
        """Tell whether some case meets `goals`."""
        branch = _Branch({}, set())
        return self._settle(branch, goals) and self._choose(branch)

    def _choose(self, branch: _Branch) -> bool:
        """Try the ways of the choice that leaves fewest."""
        choices: list[Count] = []
        for choice in branch.choices:
            ways = [way for way in choice.of if not self._excluded(branch, way)]
            if sum(self._met(branch, way) for way in ways) >= choice.n:
                continue
            if len(ways) < choice.n:
                return False
            choices.append(Count(choice.n, tuple(ways)))
        if not choices:
            return True
        choices.sort(key=lambda choice: len(choice.of) - choice.n)
        first, branch.choices = choices[0], choices[1:]
        for number, way in enumerate(first.of):
            rest = first.of[number + 1 :]
            if len(rest) < first.n - 1:
                break
            self.left -= 1
            if self.left < 0:
                raise Exhausted
            tried = branch.copy()
            goals = [way, *([Count(first.n - 1, rest)] if first.n > 1 else [])]
            if self._settle(tried, goals) and self._choose(tried):
                return True
        return False

    def _settle(self, branch: _Branch, goals: list[Node]) -> bool:
        """Take in what `goals` leave no choice about; tell whether that is possible."""
        while goals:
            goal = goals.pop()
            if isinstance(goal, Goal):
                goals.append(self._opened(branch, goal))
            elif isinstance(goal, Within):
                whole = branch.masks.get(goal.name, -1) & goal.mask
                if not whole:
                    return False
                branch.masks[goal.name] = whole
            elif goal.n >= len(goal.of):
                if goal.n > len(goal.of):
                    return False
                goals.extend(goal.of)
            elif goal.n > 0:
                branch.choices.append(goal)
        return True

    def _opened(self, branch: _Branch, goal: Goal) -> Node:
        """Return what `goal` asks of its parts."""
        condition, mode, hidden = goal.of, goal.mode, goal.hidden
        if isinstance(condition, Test):
            return self._literal(condition, mode, hidden)
        if isinstance(condition, Not):
            return Goal(condition.of, OPPOSITE[mode], hidden)
        if isinstance(condition, Holds):
            return self._symbol(branch, condition.symbol, mode in ("true", "not false"), hidden)
        needed = len(condition.of) if isinstance(condition, All) else condition.n
        n = needed if mode in ("true", "not false") else len(condition.of) - needed + 1
        return Count(n, tuple(Goal(part, mode, hidden) for part in condition.of))

    def _literal(self, test: Test, mode: Mode, hidden: bool) -> Node:
        mask = self.logic.mask(test, mode)
        if hidden and test.finding == self.hidden:
            return Count(0 if mask & self.logic.inapplicable(test.finding) else 1, ())
        return Within(test.finding, mask)

    def _symbol(self, branch: _Branch, symbol: str, wanted: bool, hidden: bool) -> Node:
        if symbol in self.levels or self.opaque(symbol):
            return Within(f"symbol {symbol}", 2 if wanted else 1)
        if (symbol, not wanted, hidden) in branch.seen:
            return Count(1, ())
        if (symbol, wanted, hidden) in branch.seen:
            return Count(0, ())
        branch.seen.add((symbol, wanted, hidden))
        clauses = self.logic.concludes(symbol)
        if not wanted:
            silent = tuple(self.logic.silent(clause, hidden) for clause in clauses)
            return Count(len(silent), silent)
        ways = [self.logic.fires(clause, hidden) for clause in clauses]
        return Count(1, tuple(Count(len(way), tuple(way)) for way in ways))

    def _simple(self, way: Node) -> Node:
        """Return `way` as a literal if it is a test and nothing else."""
        while isinstance(way, Goal):
            if isinstance(way.of, Test):
                return self._literal(way.of, way.mode, way.hidden)
            if not isinstance(way.of, Not):
                break
            way = Goal(way.of.of, OPPOSITE[way.mode], way.hidden)
        return way

    def _excluded(self, branch: _Branch, way: Node) -> bool:
        way = self._simple(way)
        if isinstance(way, Count):
            return way.n > len(way.of)
        return isinstance(way, Within) and not branch.masks.get(way.name, -1) & way.mask

    def _met(self, branch: _Branch, way: Node) -> bool:
        way = self._simple(way)
        if isinstance(way, Count):
            return way.n <= 0
        return isinstance(way, Within) and branch.masks.get(way.name, -1) & ~way.mask == 0
