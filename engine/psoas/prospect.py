"""Which open questions could still change something, the most telling first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Program
from psoas.memory import WorkingMemory
from psoas.readings.foresee import Evaluation, established, foreseen
from psoas.triage import Screen


@dataclass(frozen=True, slots=True)
class Question:
    """An open finding worth asking: what it could still bring about, most urgent first."""

    finding: str
    levels: tuple[str, ...]  # levels of urgency it could still lead to
    rules: tuple[str, ...]  # the triage rules that wait for it
    causes: tuple[str, ...]  # the causes that wait for it


class Prospect:
    """Looks ahead from cases of one knowledge base."""

    def __init__(self, knowledge: Knowledge, program: Program, screen: Screen) -> None:
        self.knowledge = knowledge
        self.program = program
        self.screen = screen
        headed = {kind.id for kind in knowledge.manifest.kinds if kind.heading}
        self._causes = [c.id for c in knowledge.conclusions.values() if c.kind in headed]
        self._place = knowledge.order_of_asking

    def questions(self, memory: WorkingMemory) -> tuple[Question, ...]:
        """Return the open findings that could still change something, most telling first.

        A triage rule or a cause that waits for n findings gives each of them 1/n. Compared are first the sums over
        the rules of the most urgent level, then of the next, at last over the causes; ties go by topic, then by id
        (docs/semantics.md, section 11).
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
            for finding in sorted(waits, key=lambda finding: (telling(finding), self._place[finding]))
        )

    def _waiting(self, ahead: Evaluation, symbol: str) -> Iterator[str]:
        for number in self.program.by_head.get(symbol, ()):
            if ahead.clauses[number] is None:
                yield from ahead.open_findings(number)
