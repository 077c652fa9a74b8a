"""What would change the advice: the open question that matters most, the single answer that would turn it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psoas.knowledge.conditions import Test, evaluate, leaves
from psoas.knowledge.model import Finding, Knowledge
from psoas.knowledge.program import Program
from psoas.memory import Standing, State, WorkingMemory
from psoas.readings.foresee import Evaluation, established, foreseen
from psoas.triage import Screen


@dataclass(frozen=True, slots=True)
class Question:
    """An open finding worth asking: what it could still bring about, most urgent first."""

    finding: str
    levels: tuple[str, ...]  # levels of urgency it could still lead to
    rules: tuple[str, ...]  # the triage rules that wait for it
    causes: tuple[str, ...]  # the causes that wait for it


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer that would turn the disposition: from what, to what, into which level."""

    finding: str
    before: State
    after: State
    disposition: str


class Prospect:
    """Looks ahead from cases of one knowledge base."""

    def __init__(self, knowledge: Knowledge, program: Program, screen: Screen) -> None:
        self.knowledge = knowledge
        self.program = program
        self.screen = screen
        headed = {kind.id for kind in knowledge.manifest.kinds if kind.heading}
        self._causes = [c.id for c in knowledge.conclusions.values() if c.kind in headed]
        self._topics = {topic: number for number, topic in enumerate(knowledge.manifest.topics)}
        self._thresholds = _thresholds(screen.program)

    def questions(self, memory: WorkingMemory) -> tuple[Question, ...]:
        """Return the open findings that could still change something, most telling first.

        A triage rule or a cause that waits for n findings gives each of them 1/n. Compared are first the sums over
        the rules of the most urgent level, then of the next, at last over the causes; ties go by topic, then by id
        (docs/semantics.md, "Telling questions").
        """
        ahead = foreseen(self.program, memory)
        now = established(self.program, memory)
        levels = [d.id for d in reversed(self.screen.levels)]
        waits: dict[str, dict[str, dict[str, float]]] = {}  # finding → level or "cause" → what waits → share

        def wait(where: str, what: str, findings: Iterable[str]) -> None:
            findings = [f for f in dict.fromkeys(findings) if f in self.knowledge.findings]
            for finding in findings:
                waits.setdefault(finding, {}).setdefault(where, {})[what] = 1 / len(findings)

        for number, clause in enumerate(self.program.clauses):
            if ahead.clauses[number] is None and not now.clauses[number]:
                for level in self.screen.rank.keys() & set(clause.heads):
                    wait(level, clause.id, ahead.open_findings(number))
        for cause in self._causes:
            if ahead[cause] is None and not now[cause]:
                wait("cause", cause, self._waiting(ahead, cause))

        def telling(finding: str) -> tuple[float, ...]:
            return tuple(-round(sum(waits[finding].get(where, {}).values()), 6) for where in (*levels, "cause"))

        return tuple(
            Question(
                finding,
                tuple(level for level in levels if level in waits[finding]),
                tuple(rule for level in levels for rule in waits[finding].get(level, ())),
                tuple(waits[finding].get("cause", ())),
            )
            for finding in sorted(waits, key=lambda finding: (telling(finding), self._place(finding)))
        )

    def _waiting(self, ahead: Evaluation, symbol: str) -> Iterator[str]:
        for number in self.program.by_head.get(symbol, ()):
            if ahead.clauses[number] is None:
                yield from ahead.open_findings(number)

    def turns(self, memory: WorkingMemory) -> tuple[Turn, ...]:
        """Return every single answer that would turn the disposition, most urgent first.

        Every value of every finding that applies or might is tried: each word, each word added to or taken from a
        set, and of the numbers those beside a threshold, of which the nearest is named for each level.
        """
        now, ahead = established(self.screen.program, memory), foreseen(self.screen.program, memory)
        level = self.screen.level(now, ahead)
        turns: list[Turn] = []
        for finding in self._findings():
            if memory.applies(finding) is False and finding.id not in memory.answers:
                continue
            turns += self._turns_of(finding, memory, now, ahead, level)
        rank = self.screen.rank
        return tuple(
            sorted(
                turns,
                key=lambda t: (-rank[t.disposition], t.disposition, self._place(t.finding), str_of(t.after)),
            )
        )

    def _findings(self) -> list[Finding]:
        used = self.screen.program.by_finding
        vocabulary = self.knowledge.findings
        deciding = {leaf for f in used if f in vocabulary for leaf in _applies_inputs(vocabulary[f])}
        return [vocabulary[f] for f in sorted({*used, *deciding}) if f in vocabulary]

    def _place(self, finding: str) -> tuple[int, str]:
        return self._topics.get(self.knowledge.findings[finding].topic, 0), finding

    def _turns_of(
        self, finding: Finding, memory: WorkingMemory, now: Evaluation, ahead: Evaluation, level: str
    ) -> list[Turn]:
        before = memory.answers.get(finding.id, Standing.UNASKED)
        found: dict[object, Turn] = {}
        for state in self._candidates(finding, before):
            other, touched = memory.changed(finding.id, state)
            if self._is_refused(other):
                continue
            result = self.screen.level(now.changed(other, touched), ahead.changed(other, touched))
            if result != level:
                # of numbers, the nearest that leads to a level stands for all of them
                key = result if finding.type == "number" else state
                found.setdefault(key, Turn(finding.id, before, state, result))
        return list(found.values())

    def _is_refused(self, memory: WorkingMemory) -> bool:
        """Tell whether the answers in `memory` contradict each other, so that a reader would refuse one."""
        rules = self.knowledge.contradictions.values()
        return any(evaluate(rule.when, memory.now, lambda symbol: None) for rule in rules)

    def _candidates(self, finding: Finding, before: State) -> Iterator[State]:
        if finding.type == "any of":
            yield from _sets(finding, before if isinstance(before, frozenset) else frozenset())
        elif finding.type == "number":
            assert finding.range is not None
            numbers = {n + d for n in self._thresholds.get(finding.id, ()) for d in (-1.0, 0.0, 1.0)}
            inside = [n for n in numbers if n in finding.range and n != before]
            start = before if isinstance(before, float) else finding.range.low
            yield from sorted(inside, key=lambda n: (abs(n - start), n))
        elif finding.values:
            yield from (word for word in finding.values if word != before)


def _sets(finding: Finding, before: frozenset[str]) -> Iterator[State]:
    alone = frozenset(finding.alone)
    for word in finding.values:
        changed = {frozenset({word})}
        if word not in alone:
            changed = {(before - alone) | {word}}
        if word in before and len(before) > 1:
            changed.add(before - {word})
        yield from sorted((state for state in changed if state != before), key=sorted)


def _thresholds(program: Program) -> Mapping[str, set[float]]:
    thresholds: dict[str, set[float]] = {}
    for clause in program.clauses:
        for test in clause.tests():
            if test.numbers:
                thresholds.setdefault(test.finding, set()).update(test.numbers)
    return thresholds


def _applies_inputs(finding: Finding) -> Iterator[str]:
    return (leaf.finding for leaf in leaves(finding.applies) if isinstance(leaf, Test))


def str_of(state: State) -> str:
    """Return a text that sorts states of one finding in a fixed order."""
    return " ".join(sorted(state)) if isinstance(state, frozenset) else str(state)
