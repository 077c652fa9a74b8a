"""How urgent is a case? The highest level a triage rule gives; the mildest only when no urgent rule can fire.

Docs: docs/semantics.md, section 7. Nothing lowers a disposition.
"""

from __future__ import annotations

from dataclasses import dataclass

from psoas.knowledge.model import Disposition, Knowledge, Rule
from psoas.knowledge.program import Clause, Program
from psoas.memory import Standing, WorkingMemory
from psoas.readings.foresee import Evaluation, established, foreseen


@dataclass(frozen=True, slots=True)
class Triage:
    """The verdict on one case."""

    level: str
    within: tuple[str, str]  # the mildest and the most urgent level any completion could have
    fired: tuple[str, ...]  # ids of the triage rules that fired, most urgent first
    unsettled: tuple[str, ...]  # ids of the screened rules that could still fire, most urgent first
    missing: tuple[str, ...]  # the findings that keep them open, most urgent first
    answered: int  # screening questions that are answered, of those this case needs
    needed: int

    @property
    def settled(self) -> bool:
        """Whether no screened rule could still fire."""
        return not self.unsettled


class Screen:
    """The triage rules of a knowledge base, ready to judge cases."""

    def __init__(self, knowledge: Knowledge, program: Program) -> None:
        manifest = knowledge.manifest
        self.otherwise = manifest.otherwise
        self.levels: tuple[Disposition, ...] = tuple(
            d for d in manifest.dispositions if d.id != manifest.otherwise.unasked
        )
        self.rank = {d.id: number for number, d in enumerate(self.levels)}
        # where it cannot be decided it is at least as mild as the default, and ranks beside it
        self.rank[manifest.otherwise.unasked] = self.rank[manifest.otherwise.settled]
        self.program = program.behind(d.id for d in self.levels)
        screened = {d.id for d in self.levels if d.screened}
        self.rules = [
            (number, clause, self._level(clause))
            for number, clause in enumerate(self.program.clauses)
            if self._level(clause)
        ]
        self.rules.sort(key=lambda rule: (-self.rank[rule[2]], natural(rule[1].id)))
        self._screened = [rule for rule in self.rules if rule[2] in screened]
        self.findings = tuple(sorted({t.finding for c in self.program.behind(screened).clauses for t in c.tests()}))

    def _level(self, clause: Clause) -> str:
        return clause.origin.level if isinstance(clause.origin, Rule) else ""

    def judge(self, memory: WorkingMemory) -> Triage:
        """Return the triage of one case."""
        return self.verdict(established(self.program, memory), foreseen(self.program, memory))

    def verdict(self, now: Evaluation, ahead: Evaluation) -> Triage:
        """Return the triage, given both evaluations of the screen's program."""
        unsettled = [rule for rule in self._screened if ahead.clauses[rule[0]] is None and not now.clauses[rule[0]]]
        missing: dict[str, None] = {}
        for number, _, _ in unsettled:
            missing.update(dict.fromkeys(ahead.open_findings(number)))
        memory = now.memory
        answered = sum(not memory.is_open(f) and memory[f] is not Standing.INAPPLICABLE for f in self.findings)
        return Triage(
            self.level(now, ahead),
            self._within(ahead),
            tuple(clause.id for number, clause, _ in self.rules if now.clauses[number]),
            tuple(clause.id for _, clause, _ in unsettled),
            tuple(missing),
            answered,
            answered + len(missing),
        )

    def level(self, now: Evaluation, ahead: Evaluation) -> str:
        """Return the disposition alone."""
        for number, _, level in self.rules:
            if now.clauses[number]:
                return level
        settled = True
        for number, _, _ in self._screened:
            if ahead.clauses[number] is None and not now.clauses[number]:
                settled = False
                if any(now.memory[finding] is Standing.UNASKED for finding in ahead.open_findings(number)):
                    return self.otherwise.unasked
        return self.otherwise.settled if settled else self.otherwise.unknown

    def _within(self, ahead: Evaluation) -> tuple[str, str]:
        mildest = most = self.otherwise.settled
        for number, _, level in self.rules:
            if ahead.clauses[number] is True and self.rank[level] > self.rank[mildest]:
                mildest = level
            if ahead.clauses[number] is not False and self.rank[level] > self.rank[most]:
                most = level
        return mildest, most


def natural(text: str) -> tuple[str, int, str]:
    """Return a sorting key that puts E2 before E10."""
    head = text.rstrip("0123456789")
    return head, int(text[len(head) :] or 0), text
