"""Two versions of the same knowledge, held against each other over every possible case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import z3

from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Clause
from psoas.memory import State
from psoas.readings.prove.answers import Answers, Formula
from psoas.readings.prove.prover import Prover


def both(old: Knowledge, new: Knowledge) -> tuple[dict[str, State], str, str] | None:
    """Return a case that `new` triages less urgently than `old`, and both levels; None where there is none.

    Less urgent is a milder level, and the mildest where `old` could not judge. A case answers the findings of both.
    """
    findings = {**old.findings, **new.findings}
    for name in old.findings.keys() & new.findings.keys():
        values = {**old.findings[name].values, **new.findings[name].values}
        findings[name] = replace(new.findings[name], values=values)
    answers = Answers(replace(new, findings=findings))
    before, after = Prover(old, answers=answers), Prover(new, answers=answers)
    rank = {level: number for number, level in enumerate(after.levels)}
    unjudged, mildest = new.manifest.otherwise.unasked, new.manifest.otherwise.settled
    pairs = [(one, two) for one in before.levels for two in after.levels if rank[two] < rank.get(one, -1)]
    pairs.append((unjudged, mildest))
    for one, two in sorted(pairs, key=lambda pair: -rank.get(pair[0], -1)):
        case = after.case(*before.consistent, before.level[one], after.level[two])
        if case is not None:
            return case, one, two
    return None


class Original:
    """A knowledge base of which variants are held against it: the same questions, one clause otherwise."""

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
        """Return a case in which `formula` holds; None is the proof that there is none. Raises `Undecided`."""
        return self.prover.case(formula, small=small)

    def case_near(self, formula: Formula, answers: Mapping[str, State]) -> dict[str, State] | None:
        """Return a case in which `formula` holds, as near to `answers` as is found; None where there is none."""
        return self.prover.case_near(formula, answers)
