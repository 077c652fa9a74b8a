"""Where an item of the knowledge base fires among the worked cases, and where one answer makes it fire or stop.

Only the clauses behind the item are evaluated, and of these, after one answer has changed, only what hangs on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from psoas.case import Case
from psoas.consultation import Consultant
from psoas.knowledge.conditions import Condition, Holds, Test, any_of, evaluate, leaves
from psoas.knowledge.model import Calculated, Conclusion, Disagreement, Finding, Remedy, Rule, Withholding
from psoas.knowledge.signatures import Item
from psoas.memory import Standing, State, WorkingMemory, inputs_of
from psoas.readings.foresee import Evaluation, established, foreseen
from psoas.triage import natural


@dataclass(frozen=True, slots=True)
class Boundary:
    """Two cases that differ in one answer: with `fires` to the finding the item fires, with `stops` it does not."""

    case: str
    finding: str
    answer: State  # what the worked case itself answers
    fires: State
    stops: State


@dataclass(frozen=True)
class _Now:
    """A case, what it establishes of the clauses behind the item, and its triage where the item depends on that."""

    memory: WorkingMemory
    sub: Evaluation
    triage: tuple[Evaluation, Evaluation] | None

    def changed(self, finding: str, state: State) -> _Now:
        memory, touched = self.memory.changed(finding, state)
        triage = self.triage and (self.triage[0].changed(memory, touched), self.triage[1].changed(memory, touched))
        return _Now(memory, self.sub.changed(memory, touched), triage)


class Trials:
    """One item, tried on cases: a rule, a withholding, a remedy's indication, a conclusion or a disagreement."""

    def __init__(self, consultant: Consultant, item: Item) -> None:
        self.consultant = consultant
        self.knowledge = consultant.knowledge
        self.when, self.unless = _condition(consultant, item)
        conditions = [part for part in (self.when, self.unless) if part is not None]
        symbols = [leaf.symbol for part in conditions for leaf in leaves(part) if isinstance(leaf, Holds)]
        levels = {d.id for d in self.knowledge.manifest.dispositions}
        self._needs_level = not levels.isdisjoint(symbols)
        self._kinds = [s.removeprefix("any ") for s in symbols if s.startswith("any ")]
        symbols += [c.id for c in self.knowledge.conclusions.values() if c.kind in self._kinds]
        self._tests = [leaf for part in conditions for leaf in leaves(part) if isinstance(leaf, Test)]
        self._symbols = symbols
        self.program = consultant.program.behind(symbols)

    def firing(self, cases: Iterable[Case]) -> tuple[str, ...]:
        """Return the ids of the cases in which it fires."""
        return tuple(case.id for case in cases if self._fires(self._now(case)))

    def boundary(self, cases: Iterable[Case]) -> Boundary | None:
        """Return the nearest pair of cases, one answer apart, in one of which it fires and in the other not.

        Nearest is: a question the item itself asks before one behind it, an answer given before one left open, the
        case as it stands before one moved up to the limit.
        """
        starts = sorted(((case, self._now(case)) for case in cases), key=lambda pair: natural(pair[0].id))
        starts.sort(key=lambda pair: not self._fires(pair[1]))
        for names in self._findings():
            best: Boundary | None = None
            for case, start in starts:
                for name in names:
                    found = self._pair(case, start, self.knowledge.findings[name])
                    if found and (best is None or _distance(found) < _distance(best)):
                        best = found
                    if best and _distance(best) == NEAREST:
                        return best
            if best:
                return best
        return None

    # one case

    def _now(self, case: Case) -> _Now:
        memory = WorkingMemory(self.consultant.vocabulary, case.answers)
        screen = self.consultant.screen
        triage = (established(screen.program, memory), foreseen(screen.program, memory)) if self._needs_level else None
        return _Now(memory, established(self.program, memory), triage)

    def _fires(self, now: _Now) -> bool:
        level = self.consultant.screen.level(*now.triage) if now.triage else ""

        def holds(symbol: str) -> bool:
            if symbol.startswith("any "):
                kind = symbol.removeprefix("any ")
                return any(c.kind == kind and now.sub[c.id] for c in self.knowledge.conclusions.values())
            return symbol == level or bool(now.sub[symbol])

        if evaluate(self.when, now.memory.now, holds) is not True:
            return False
        return self.unless is None or evaluate(self.unless, now.memory.now, holds) is not True

    def _pair(self, case: Case, start: _Now, finding: Finding) -> Boundary | None:
        """Return the pair that other answers to `finding` make of this case; None where it stays on one side."""
        if start.memory[finding.id] is Standing.INAPPLICABLE:
            return None
        answer = start.memory.answers.get(finding.id, Standing.UNASKED)
        here = self._fires(start)
        if "number" in finding.type:
            return self._numeric_pair(case, start, finding, answer, here)
        for state in _others(finding, answer):
            if self._fires_with(start, finding, state) is (not here):
                return Boundary(case.id, finding.id, answer, *((answer, state) if here else (state, answer)))
        return None

    def _fires_with(self, start: _Now, finding: Finding, state: State) -> bool | None:
        """Return whether it fires with that answer; None where the answer contradicts the others."""
        other = start.changed(finding.id, state)
        return None if self.consultant.near_misses.is_refused(other.memory) else self._fires(other)

    # numbers

    def _numeric_pair(self, case: Case, start: _Now, finding: Finding, answer: State, here: bool) -> Boundary | None:
        """Return the two neighbouring numbers nearest to the answer, on different sides of the limit."""
        assert finding.range is not None
        lead = answer[:-1] if isinstance(answer, tuple) else None
        own = answer[-1] if isinstance(answer, tuple) else answer
        if finding.type == "list of numbers" and lead is None:
            return None

        def state(number: float) -> State:
            return number if lead is None else (*lead, number)

        def fires(number: float) -> bool | None:
            return self._fires_with(start, finding, state(number))

        marks, step = self._marks(finding)
        if isinstance(own, float):
            marks.add(own)
        elif fires(finding.range.low) is (not here):
            low = state(finding.range.low)
            return Boundary(case.id, finding.id, answer, *((answer, low) if here else (low, answer)))
        sides = {mark: side for mark in sorted(marks) if (side := fires(mark)) is not None}
        pairs = [(a, b) for a, b in zip(sides, list(sides)[1:], strict=False) if sides[a] is not sides[b]]
        base = own if isinstance(own, float) else finding.range.low
        if not pairs:
            return None
        left, right = min(pairs, key=lambda pair: min(abs(pair[0] - base), abs(pair[1] - base)))
        on_the_left = sides[left]
        left, right = _halved(left, right, step, lambda number: fires(number) is on_the_left)
        pair = (left, right) if on_the_left else (right, left)
        return Boundary(case.id, finding.id, answer, *map(state, pair))

    def _marks(self, finding: Finding) -> tuple[set[float], float]:
        """Return numbers of which two neighbours lie on different sides wherever there are sides, and a fine step."""
        assert finding.range is not None
        bounds = {n for test in self._all_tests if test.finding == finding.id for n in test.numbers}
        step = min((10.0 ** -len(f"{n:.6g}".partition(".")[2]) for n in bounds), default=1.0)
        around = {round(n + d, 6) for n in bounds for d in (-step, 0.0, step)}
        return {n for n in around if n in finding.range} | {finding.range.low, finding.range.high}, step

    # what it depends on

    @cached_property
    def _all_tests(self) -> list[Test]:
        return [*self._tests, *(test for clause in self.program.clauses for test in clause.tests())]

    def _findings(self) -> Iterator[list[str]]:
        """Yield the findings whose answers count: those it asks itself, those one rule behind it, and so on."""
        seen: set[str] = set()
        tests, symbols, met = list(self._tests), list(self._symbols), set(self._symbols)
        while tests or symbols:
            names = [name for name in self._roots(test.finding for test in tests) if name not in seen]
            seen.update(names)
            if names:
                yield names
            clauses = [self.program.clauses[n] for s in symbols for n in self.program.by_head.get(s, ())]
            tests = [test for clause in clauses for test in clause.tests()]
            symbols = [s for clause in clauses for s in clause.symbols() if s not in met]
            met.update(symbols)

    def _roots(self, names: Iterable[str]) -> list[str]:
        """Return the asked findings behind `names`: themselves, what they are calculated from, why they apply."""
        found: dict[str, None] = {}
        pending = list(names)
        while pending:
            item = self.consultant.vocabulary.items[pending.pop(0)]
            if item.id not in found and not isinstance(item, Calculated):
                found[item.id] = None
                pending += inputs_of(item)
            elif isinstance(item, Calculated):
                pending += inputs_of(item)
        return list(found)


NEAREST = (False, False)


def _distance(pair: Boundary) -> tuple[bool, bool]:
    """Return how far a pair is from a worked case as it stands; the nearest is `NEAREST`."""
    loose = any(isinstance(state, Standing) for state in (pair.fires, pair.stops))
    return loose, pair.answer not in (pair.fires, pair.stops)


def _halved(left: float, right: float, step: float, is_left: Callable[[float], bool]) -> tuple[float, float]:
    """Return two neighbouring numbers between which the sides change; a number that is refused counts as right."""
    while right - left > step * 1.5:
        middle = round(round((left + right) / 2 / step) * step, 6)
        if is_left(middle):
            left = middle
        else:
            right = middle
    return left, right


def _others(finding: Finding, answer: State) -> Iterator[State]:
    """Yield the other answers to a choice, the nearest first; last that it is not known."""
    if finding.type == "any of":
        present = answer if isinstance(answer, frozenset) else frozenset()
        alone = frozenset(finding.alone)
        for word in finding.values:
            if word in present and len(present) > 1:
                yield present - {word}
            elif word not in present:
                yield frozenset({word}) if word in alone else (present - alone) | {word}
        yield from (frozenset({word}) for word in finding.alone if len(present) > 1)
    else:
        yield from (word for word in finding.values if word != answer)
    if answer is not Standing.UNKNOWN:
        yield Standing.UNKNOWN


def _condition(consultant: Consultant, item: Item) -> tuple[Condition, Condition | None]:
    """Return what makes `item` fire, and what blocks it."""
    if isinstance(item, Rule | Withholding | Remedy):
        name = f"indicates {item.id}" if isinstance(item, Remedy) else item.id
        clause = next(clause for clause in consultant.program.clauses if clause.id == name)
        return clause.when, clause.unless
    if isinstance(item, Conclusion):
        return Holds(item.id), None
    if isinstance(item, Disagreement):
        return item.bears, None
    if isinstance(item, Finding | Calculated):
        return Test(item.id, "answered"), None
    return any_of([item.when]), None
