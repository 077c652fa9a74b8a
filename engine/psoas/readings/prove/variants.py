"""A knowledge base and variants of it, the same questions and one clause otherwise, over every possible case."""

from __future__ import annotations

from collections.abc import Mapping

import z3

from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Clause
from psoas.memory import Standing, State
from psoas.readings.prove.answers import Formula
from psoas.readings.prove.prover import Prover
from psoas.readings.prove.search import nearest


class Original:
    """A knowledge base of which variants are held against it. What is asked raises `Undecided` if it takes too long."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.prover = Prover(knowledge)
        self._number = {clause.id: number for number, clause in enumerate(self.prover.program.clauses)}

    def firing_otherwise(self, clause: Clause, *, wherever_it_fires: bool = False) -> Formula:
        """Return that `clause` fires, or is foreseen, otherwise than the clause of that id.

        With `wherever_it_fires` that either fires: for a clause that differs in what follows from it.
        """
        number = self._number[clause.id]
        fires, ahead = self.prover.clause(clause)
        now, before = self.prover.fires[number], self.prover.ahead[number]
        if wherever_it_fires:
            return z3.Or(fires, now)
        return z3.Or(fires != now, ahead.true != before.true, ahead.false != before.false)

    def advising_otherwise(self, variant: Knowledge) -> Formula:
        """Return that `variant` gives another level, other causes or other remedies."""
        one, other = self.prover, Prover(variant, base=self.prover)
        kinds = {kind.id for kind in self.knowledge.manifest.kinds if kind.heading}
        causes = [c.id for c in self.knowledge.conclusions.values() if c.kind in kinds]
        pairs = [(one.restricted, other.restricted)]
        pairs += [(one.level[level], other.level[level]) for level in one.level]
        pairs += [(one.holds(cause), other.holds(cause)) for cause in causes]
        pairs += [(one.given(remedy), other.given(remedy)) for remedy in self.knowledge.remedies]
        return z3.Or(*(before != after for before, after in pairs if not before.eq(after)))

    def case(self, formula: Formula, *, small: bool) -> dict[str, State] | None:
        """Return a case in which `formula` holds, as `small` as it is found; None is the proof that there is none."""
        if small:
            return self.prover.search.case(formula)
        solver = self.prover.search.solved([formula])
        return None if solver is None else self.prover.answers.read(solver.model())

    def case_near(self, formula: Formula, answers: Mapping[str, State]) -> dict[str, State] | None:
        """Return a case in which `formula` holds, as near to `answers` as is found; None where there is none."""
        solver = self.prover.search.solved([formula])
        if solver is None:
            return None
        all_answers = self.prover.answers
        wishes = [all_answers.equal(name, answers.get(name, Standing.UNASKED)) for name in sorted(all_answers.asked)]
        return nearest(solver, all_answers, wishes)
