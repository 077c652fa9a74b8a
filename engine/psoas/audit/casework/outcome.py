"""What a consultation comes to: level, causes in order, remedies. Worked out without the forward chainer, and fast.

An audit asks it of thousands of small variations of the rules; tests hold it against the whole consultation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psoas.case import Case
from psoas.consultation import Consultation
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Program, compile_program, withheld
from psoas.lead import Ranking
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from psoas.readings.foresee import established, foreseen
from psoas.readings.outlook import Outlook
from psoas.triage import Screen


@dataclass(frozen=True, slots=True)
class Outcome:
    """The level, the causes with their certainty, best first, and the remedies given."""

    level: str
    causes: Mapping[str, float]
    remedies: frozenset[str]


def outcome_of(it: Consultation) -> Outcome:
    """Return what a consultation comes to."""
    causes = {cause.id: cause.certainty for cause in it.causes}
    return Outcome(it.level.id, causes, frozenset(given.id for given in it.remedies))


class Judge:
    """A knowledge base that tells what cases come to."""

    def __init__(self, knowledge: Knowledge, program: Program | None = None) -> None:
        self.knowledge = knowledge
        self.program = program or compile_program(knowledge)
        self.vocabulary = Vocabulary(knowledge)
        self.screen = Screen(knowledge, self.program)
        self.ranking = Ranking(knowledge, self.program, self.screen.rank)
        self._free = {tier.id for tier in knowledge.manifest.tiers if tier.restricted}

    def outcome(self, case: Case) -> Outcome:
        """Return what a case comes to."""
        return self.outcome_by(*self.view(case.answers))

    def view(self, answers: Mapping[str, State]) -> tuple[Outlook, str, bool]:
        """Return how every clause stands, the level, and whether the plan is restricted."""
        memory = WorkingMemory(self.vocabulary, answers)
        triage = self.screen.verdict(established(self.screen.program, memory), foreseen(self.screen.program, memory))
        # a question not asked is as good as one that nobody can answer, now that the level is known
        closed = {name: answers.get(name, Standing.UNKNOWN) for name in self.knowledge.findings}
        outlook = Outlook(self.program, WorkingMemory(self.vocabulary, closed), {triage.level: True})
        restricted = self.knowledge.level(triage.level).plan == "restricted" or not triage.settled
        return outlook, triage.level, restricted

    def outcome_by(self, outlook: Outlook, level: str, restricted: bool) -> Outcome:
        """Return what a case comes to of which `view` has told."""
        given = frozenset(
            remedy.id
            for remedy in self.knowledge.remedies.values()
            if outlook[remedy.id] and not outlook[withheld(remedy.id)] and (remedy.tier in self._free or not restricted)
        )
        return Outcome(level, self.ranking.order(outlook), given)
