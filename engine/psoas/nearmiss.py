"""What would change the advice: the smallest sets of answers, of one and then of two, that would turn the disposition.

Docs: docs/semantics.md, section 12. Only what can come about is tried: not what nobody can change from one day to
the next (`fixed`), not values that cannot newly begin (`lasting`), nothing that contradicts the other answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from math import ceil, floor

from psoas.knowledge.conditions import All, Condition, Holds, Not, Test, evaluate, leaves
from psoas.knowledge.formulas import Undefined
from psoas.knowledge.model import Calculated, Finding, Knowledge
from psoas.knowledge.program import Program
from psoas.memory import Standing, State, WorkingMemory, is_open
from psoas.readings.foresee import Evaluation, established, foreseen
from psoas.triage import Screen


@dataclass(frozen=True, slots=True)
class Change:
    """Another answer to one finding."""

    finding: str
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class Turn:
    """Answers that would turn the disposition, and into which: one change, or two of which neither does it alone."""

    changes: tuple[Change, ...]
    disposition: str

    @property
    def finding(self) -> str:
        """The finding of the first change."""
        return self.changes[0].finding

    @property
    def before(self) -> State:
        """The answer now, of the first change."""
        return self.changes[0].before

    @property
    def after(self) -> State:
        """The other answer, of the first change."""
        return self.changes[0].after


class _Now:
    """A case, and both evaluations of the triage rules for it, each worked out only if it is needed."""

    def __init__(
        self, memory: WorkingMemory, program: Program, before: _Now | None = None, touched: Iterable[str] = ()
    ):
        """`before` is the case it was changed from, in the findings `touched`."""
        self.memory = memory
        self._program, self._before, self._touched = program, before, touched

    def changed(self, finding: str, state: State) -> _Now:
        """Return the case with another answer."""
        memory, touched = self.memory.changed(finding, state)
        return _Now(memory, self._program, self, touched)

    @cached_property
    def now(self) -> Evaluation:
        """What it establishes."""
        before = self._before
        return before.now.changed(self.memory, self._touched) if before else established(self._program, self.memory)

    @cached_property
    def ahead(self) -> Evaluation:
        """What is foreseen of it."""
        before = self._before
        return before.ahead.changed(self.memory, self._touched) if before else foreseen(self._program, self.memory)

    def fires(self, rules: Collection[int], among: frozenset[int]) -> bool:
        """Tell whether one of `rules` fires. `among` are these rules and all that stands behind them."""
        now = self._before.now.changed(self.memory, self._touched, among) if self._before else self.now
        return any(now.clauses[number] for number in rules)

    def could_fire(self, rules: Collection[int], among: frozenset[int]) -> bool:
        """Tell whether one of `rules` could fire, whatever the open answers are."""
        ahead = self._before.ahead.changed(self.memory, self._touched, among) if self._before else self.ahead
        return any(ahead.clauses[number] is not False for number in rules)


class _Start(_Now):
    """The case itself. A change of one answer is asked for many times, and made once."""

    def __init__(self, memory: WorkingMemory, program: Program) -> None:
        super().__init__(memory, program)
        self._made: dict[tuple[str, State], _Now] = {}

    def changed(self, finding: str, state: State) -> _Now:
        """Return the case with another answer: the same object whenever it is asked for."""
        if (finding, state) not in self._made:
            self._made[finding, state] = super().changed(finding, state)
        return self._made[finding, state]


class NearMisses:
    """Finds what would turn the cases of one knowledge base."""

    def __init__(self, knowledge: Knowledge, screen: Screen) -> None:
        self.knowledge = knowledge
        self.screen = screen
        self._place = knowledge.order_of_asking
        self._thresholds = _thresholds(screen.program)
        self._joint = _Joint(knowledge, screen.program)
        self.behind = {name for number, _, _ in screen.rules for name in self._joint.behind[number]}
        self._findings = [knowledge.findings[n] for n in sorted(self.behind) if not knowledge.findings[n].fixed]
        self._partners = self._pairs_of()
        self._below = cache(lambda rule: screen.program.below([rule]))

    def turns(self, memory: WorkingMemory) -> tuple[Turn, ...]:
        """Return the smallest changes that would turn the disposition, the most urgent first.

        Of one answer: every one. Of two: those that make it more urgent than either alone does, or than the one
        alone that does not contradict the other answers.
        """
        start = _Start(memory, self.screen.program)
        level = self.screen.level(start.now, start.ahead)
        singles: dict[str, list[tuple[State, str]]] = {}  # finding → its other answers, and the level of each
        turns: list[Turn] = []
        for finding in self._findings:
            if memory.applies(finding) is False:
                continue
            before = memory.answers.get(finding.id, Standing.UNASKED)
            singles[finding.id] = list(self._levels(start, finding, before))
            found: dict[object, Turn] = {}
            for state, result in singles[finding.id]:
                if result not in (level, ""):
                    change = Change(finding.id, before, state)
                    found.setdefault(_grouped(finding, state, result), Turn((change,), result))
            turns += found.values()
        turns += self._doubles(start, level, singles)
        rank = self.screen.rank
        return tuple(
            sorted(
                turns,
                key=lambda t: (
                    -rank[t.disposition],
                    t.disposition,
                    len(t.changes),
                    [(self._place[c.finding], text_of(c.after)) for c in t.changes],
                ),
            )
        )

    def _levels(self, start: _Start, finding: Finding, before: State) -> Iterator[tuple[State, str]]:
        """Yield each other answer to `finding` with the level it leads to, "" where it contradicts another answer."""
        for state in self.candidates(finding, before, start.memory):
            other = start.changed(finding.id, state)
            contradicts = self.is_refused(other.memory)
            yield state, "" if contradicts else self.screen.level(other.now, other.ahead)

    # two answers at once

    def _doubles(self, start: _Start, level: str, singles: Mapping[str, list[tuple[State, str]]]) -> Iterator[Turn]:
        rank = self.screen.rank
        undecided = self.screen.otherwise.unasked
        if level == undecided or self.knowledge.level(level).alone:
            return

        gaps = any(is_open(state) for state in start.memory.answers.values())

        def height(result: str) -> int:
            return -1 if result in ("", undecided) else rank[result]

        for (one, two), rules in self._partners.items():
            if one not in singles and two not in singles:
                continue
            higher = [number for number, above in rules if rank[above] > rank[level]]
            among = frozenset[int]().union(*map(self._below, higher))
            opened = start.changed(one, Standing.UNASKED).changed(two, Standing.UNASKED)
            if not higher or not opened.could_fire(higher, among):
                continue
            found: dict[object, Turn] = {}
            for first, alone in self._options(start, one, singles):
                middle = start.changed(one, first)
                if not middle.changed(two, Standing.UNASKED).could_fire(higher, among):
                    continue
                for second, other in self._options(middle, two, singles):
                    end = middle.changed(two, second)
                    if not gaps and not end.fires(higher, among):
                        continue  # then no rule gives a higher level, and nothing that is unknown does
                    result = self.screen.level(end.now, end.ahead)
                    least = max(height(level), height(alone), height(other))
                    if height(result) > least and not self.is_refused(end.memory):
                        changes = self._named(start.memory, (one, first), (two, second))
                        key = tuple(_grouped(self.knowledge.findings[c.finding], c.after, result) for c in changes)
                        found.setdefault(key, Turn(changes, result))
            yield from found.values()

    def _named(self, memory: WorkingMemory, *answers: tuple[str, State]) -> tuple[Change, ...]:
        return tuple(
            Change(name, memory.answers.get(name, Standing.UNASKED), state)
            for name, state in sorted(answers, key=lambda answer: self._place[answer[0]])
        )

    def _options(
        self, start: _Now, name: str, singles: Mapping[str, list[tuple[State, str]]]
    ) -> list[tuple[State, str]]:
        """Return the other answers to `name`; of one that applies only after another change, without their level."""
        finding = self.knowledge.findings[name]
        if start.memory.applies(finding) is False:
            return []
        if name in singles:
            return singles[name]
        before = start.memory.answers.get(name, Standing.UNASKED)
        return [(state, "") for state in self.candidates(finding, before, start.memory)]

    def _pairs_of(self) -> dict[tuple[str, str], list[tuple[int, str]]]:
        """Return each pair of findings that may turn a case together → the triage rules they may make fire.

        Those are rules for which both count at once; and where the two can contradict each other, on either.
        """
        changeable = {finding.id for finding in self._findings}
        pairs: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for number, _, level in self.screen.rules:
            for pair in self._joint.pairs[number]:
                if pair <= changeable:
                    pairs.setdefault(self._in_order(pair), []).append((number, level))
        for item in self.knowledge.contradictions.values():
            names = {leaf.finding for leaf in leaves(item.when) if isinstance(leaf, Test)} & changeable
            for pair in _within(names):
                pairs[self._in_order(pair)] = [
                    (number, level) for number, _, level in self.screen.rules if self._joint.behind[number] & set(pair)
                ]
        return dict(sorted(pairs.items()))

    def _in_order(self, pair: frozenset[str]) -> tuple[str, str]:
        """Return the pair with the finding first that decides whether the other applies."""
        one, two = sorted(pair)
        return (two, one) if two in _deciders(self.knowledge, one) else (one, two)

    # what may be answered instead

    def is_refused(self, memory: WorkingMemory) -> bool:
        """Tell whether the answers in `memory` contradict each other, so that a reader would refuse one."""
        rules = self.knowledge.contradictions.values()
        return any(evaluate(rule.when, memory.now, lambda symbol: None) for rule in rules)

    def candidates(self, finding: Finding, before: State, memory: WorkingMemory) -> list[State]:
        """Return the other answers to `finding` that are tried, the nearest first."""
        if finding.type == "any of":
            return list(_sets(finding, before if isinstance(before, frozenset) else frozenset()))
        if finding.type == "number":
            return list(self._numbers(finding, before, memory))
        if finding.type == "list of numbers":
            return list(self._series(finding, before, memory))
        return [word for word in finding.values if word != before and word not in finding.lasting]

    def _numbers(self, finding: Finding, before: State, memory: WorkingMemory) -> Iterator[State]:
        assert finding.range is not None
        marks = set(self._thresholds.get(finding.id, ()))
        for item, bounds in self._calculated_from(finding.id):
            marks |= set(_crossings(item, finding, bounds, memory, lambda number: number))
        numbers = {n + d for n in marks for d in (-1.0, 0.0, 1.0)}
        numbers |= {float(around(n)) for n in marks for around in (floor, ceil)}
        start = before if isinstance(before, float) else finding.range.low
        least = before if finding.grows and isinstance(before, float) else finding.range.low
        inside = [n for n in numbers if n in finding.range and n != before and n >= least]
        yield from sorted(inside, key=lambda n: (abs(n - start), n))

    def _series(self, finding: Finding, before: State, memory: WorkingMemory) -> Iterator[State]:
        """Yield series that differ from the present one in the last number, as far as a threshold needs."""
        if not isinstance(before, tuple):
            return
        last = before[-1]
        numbers: set[float] = set()
        for item, bounds in self._calculated_from(finding.id):
            for mark in _crossings(item, finding, bounds, memory, lambda number: (*before[:-1], number)):
                numbers |= {float(floor(mark)), float(ceil(mark)), float(ceil(mark) + 1), float(floor(mark) - 1)}
        assert finding.range is not None
        inside = [n for n in numbers if n in finding.range and n != last]
        yield from ((*before[:-1], n) for n in sorted(inside, key=lambda n: (abs(n - last), n)))

    def _calculated_from(self, finding: str) -> Iterator[tuple[Calculated, set[float]]]:
        for item in self.knowledge.calculated.values():
            if finding in item.formula.inputs and item.id in self._thresholds:
                yield item, self._thresholds[item.id]


def _grouped(finding: Finding, state: State, level: str) -> object:
    """Return what stands for a change: of numbers, the nearest that leads to a level stands for all of them."""
    return (finding.id, level) if "number" in finding.type else (finding.id, state, level)


def _crossings(
    item: Calculated,
    finding: Finding,
    bounds: Iterable[float],
    memory: WorkingMemory,
    answer: Callable[[float], float | tuple[float, ...]],
) -> Iterator[float]:
    """Yield the numbers of `finding` at which `item` crosses `bounds`, the other answers as they are.

    `answer` makes the answer of a number. A formula is taken to rise or to fall all along the range, as a quotient or
    a difference does; each bound is found by halving, to a thousandth of the range.
    """
    assert finding.range is not None
    inputs = {name: memory[name] for name in item.formula.inputs if name != finding.id}
    known = {name: state for name, state in inputs.items() if isinstance(state, float | tuple)}
    if len(known) != len(inputs):
        return

    def value(number: float) -> float | None:
        try:
            return item.formula.value({**known, finding.id: answer(number)})
        except Undefined:
            return None

    low, high = finding.range.low, finding.range.high
    step = (high - low) / 1024
    if value(low) is None:
        low += step
    first, last = value(low), value(high)
    if first is None or last is None:
        return
    for bound in sorted(bounds):
        if not min(first, last) <= bound <= max(first, last):
            continue
        left, right = low, high
        while right - left > step / 64:
            middle = (left + right) / 2
            here = value(middle)
            if here is None or (here < bound) == (first < last):
                left = middle
            else:
                right = middle
        yield round(right, 3)


def _sets(finding: Finding, before: frozenset[str]) -> Iterator[State]:
    alone = frozenset(finding.alone)
    for word in finding.values:
        if word in finding.lasting and word not in before:
            continue
        changed = {frozenset({word})}
        if word not in alone:
            changed = {(before - alone) | {word}}
        if word in before and len(before) > 1:
            changed.add(before - {word})
        yield from sorted((state for state in changed if state != before), key=sorted)


def _thresholds(program: Program) -> dict[str, set[float]]:
    thresholds: dict[str, set[float]] = {}
    for clause in program.clauses:
        for test in clause.tests():
            if test.numbers:
                thresholds.setdefault(test.finding, set()).update(test.numbers)
    return thresholds


class _Joint:
    """For each clause the findings behind it, and the pairs of them that count at once.

    Two findings on different sides of an `any` do not: whatever both bring about, one of them does alone.
    """

    def __init__(self, knowledge: Knowledge, program: Program) -> None:
        self.knowledge = knowledge
        self.program = program
        self.behind: list[frozenset[str]] = []
        self.pairs: list[frozenset[frozenset[str]]] = []
        for clause in program.clauses:  # every premise stands before what it carries
            behind, pairs = self._of(clause.when)
            if clause.unless is not None:
                exceptions = self._of(clause.unless)[0]
                pairs |= _crossed(behind, exceptions) | _within(exceptions)
                behind |= exceptions
            self.behind.append(frozenset(behind))
            self.pairs.append(frozenset(pairs))

    def _of(self, condition: Condition) -> tuple[set[str], set[frozenset[str]]]:
        if isinstance(condition, Test):
            roots = _roots(self.knowledge, condition.finding)
            return roots, _within(roots)
        if isinstance(condition, Holds):
            below = self.program.by_head.get(condition.symbol, ())
            found = {name for number in below for name in self.behind[number]}
            return found, {pair for number in below for pair in self.pairs[number]}
        if isinstance(condition, Not):
            found = self._of(condition.of)[0]
            return found, _within(found)
        parts = [self._of(part) for part in condition.of]
        behind = set().union(*(names for names, _ in parts)) if parts else set()
        pairs = {pair for _, each in parts for pair in each}
        if isinstance(condition, All) or condition.n > 1:
            for (one, _), (two, _) in combinations(parts, 2):
                pairs |= _crossed(one, two)
        return behind, pairs


def _crossed(one: set[str], two: set[str]) -> set[frozenset[str]]:
    return {frozenset((a, b)) for a in one for b in two if a != b}


def _within(names: set[str]) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in combinations(names, 2)}


def _roots(knowledge: Knowledge, finding: str) -> set[str]:
    if finding in knowledge.calculated:
        return {root for name in knowledge.calculated[finding].formula.inputs for root in _roots(knowledge, name)}
    return {finding, *_deciders(knowledge, finding)}


def _deciders(knowledge: Knowledge, finding: str) -> set[str]:
    names = {leaf.finding for leaf in leaves(knowledge.findings[finding].applies) if isinstance(leaf, Test)}
    return names | {deeper for name in names for deeper in _deciders(knowledge, name)}


def text_of(state: State) -> str:
    """Return a text that sorts states of one finding in a fixed order."""
    return " ".join(sorted(state)) if isinstance(state, frozenset) else str(state)
