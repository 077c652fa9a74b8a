"""Which small changes of the rules no worked case would notice, and which of those could matter to nobody.

A change that no case notices is held to a proof: if in every possible case the same level, causes and remedies come
of it, it is no change (equivalent), and no case could be asked to notice it. Else the proof's counter-example is a
case that tells the two apart, from which the missing worked case may be made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psoas.audit.casework.expectations import missed
from psoas.audit.casework.mutants import Mutant
from psoas.audit.casework.outcome import Judge
from psoas.case import Case, case_of
from psoas.faults import Unusable
from psoas.knowledge.conditions import Holds, leaves
from psoas.knowledge.model import Knowledge, Rule
from psoas.knowledge.program import Clause, Origin, compile_program
from psoas.memory import State
from psoas.readings.outlook import ALWAYS, NEVER, Outlook, Truth

if TYPE_CHECKING:
    from psoas.readings.prove.variants import Original

IN_CONDITIONS = ("threshold", "operator", "dropped part", "dropped exception")
"""Kinds of change that leave what follows from an item as it is."""

Verdict = Literal["noticed", "equivalent", "unnoticed", "unusable"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A change, and what became of it."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""  # the worked case that notices it
    says: str = ""  # what that case misses then
    apart: dict[str, State] | None = None  # of one unnoticed: a case that comes out differently, if one was found


@dataclass(frozen=True, slots=True)
class _Seen:
    """A worked case as it stands now."""

    case: Case
    outlook: Outlook


class Panel:
    """Worked cases that come out as they expect, before which changes are brought."""

    def __init__(self, knowledge: Knowledge, cases: Iterable[Case]) -> None:
        self.knowledge = knowledge
        self.judge = Judge(knowledge)
        self._number = {clause.id: number for number, clause in enumerate(self.judge.program.clauses)}
        self._seen: list[_Seen] = []
        self._outlooks: dict[str, Outlook] = {}  # case or limit, by what it is called
        for case in cases:
            self.add(case)
        self._last: dict[str, list[_Seen]] = {}  # item → the cases that noticed a change of it, likely to do so again

    def add(self, case: Case) -> None:
        """Take in one more case, if it comes out as it expects."""
        outlook, level, restricted = self.judge.view(case.answers)
        if not any(missed(case.expect, self.judge.outcome_by(outlook, level, restricted), self.knowledge)):
            self._seen.append(_Seen(case, outlook))
            self._outlooks[case.id] = outlook

    def firing(self, item: Origin) -> list[Case]:
        """Return the cases in which the item of that id and kind fires."""
        clauses = enumerate(self.judge.program.clauses)
        number = next(n for n, c in clauses if c.origin.id == item.id and type(c.origin) is type(item))
        return [seen.case for seen in self._seen if seen.outlook.clauses[number]]

    def may_differ(self, case: Case, mutant: Mutant, judge: Judge) -> bool:
        """Tell whether a case that was taken in may come out otherwise by `judge`, who knows the change."""
        clause = next(c for c in judge.program.clauses if c.origin is mutant.item)
        outlook = self._outlooks.get(case.id)
        return outlook is not None and self._may_differ(outlook, clause, mutant)

    def tried(self, mutant: Mutant, original: Original | None = None) -> Tried:
        """Return what becomes of a change; without the `original` to prove it none is taken to be equivalent."""
        changed = mutant.applied(self.knowledge)
        try:
            judge = Judge(changed, compile_program(changed))
        except Unusable:  # a circle of rules: the loader would notice
            return Tried(mutant, "unusable")
        clause = next(c for c in judge.program.clauses if c.origin is mutant.item)
        likely = self._last.setdefault(mutant.item.id, [])
        for seen in (*likely, *self._seen):
            if self._may_differ(seen.outlook, clause, mutant):
                after = judge.outcome(seen.case)
                miss = next(missed(seen.case.expect, after, changed), None)
                if miss is not None:
                    if seen not in likely:
                        likely.insert(0, seen)
                    return Tried(mutant, "noticed", seen.case.id, miss.says)
        if original is None:
            return Tried(mutant, "unnoticed")
        return self._proved(mutant, clause, judge, original)

    def _may_differ(self, outlook: Outlook, clause: Clause, mutant: Mutant) -> bool:
        """Tell whether a case can come out otherwise: whether the clause says something else in it, or does else."""
        before = self.judge.program.clauses[self._number[clause.id]]
        one, two = (_spans(outlook, c) for c in (before, clause))
        if one != two:
            return True
        fires = one[0] == ALWAYS and one[1] != ALWAYS
        if mutant.kind in IN_CONDITIONS:  # how certain it is may differ though it holds either way
            return fires and (_rests_on_conclusions(before) or _rests_on_conclusions(clause))
        return fires

    def _proved(self, mutant: Mutant, clause: Clause, judge: Judge, original: Original) -> Tried:
        """Return whether a change that no worked case notices can be noticed at all."""
        from psoas.readings.prove.search import Undecided

        before = self.judge.program.clauses[self._number[clause.id]]
        weighed = mutant.kind == "strength" or _rests_on_conclusions(before) or _rests_on_conclusions(clause)
        weighed = weighed and self._reaches_a_cause((*before.heads, *_counted_against(before)))
        if mutant.kind == "strength" and not weighed:
            return Tried(mutant, "equivalent")
        follows = mutant.kind not in IN_CONDITIONS
        try:
            case = original.case(original.firing_otherwise(clause, wherever_it_fires=follows), small=True)
            if case is None:
                return Tried(mutant, "equivalent")
            if self._tells_apart(case, judge):
                return Tried(mutant, "unnoticed", apart=case)
            case = original.case(original.advising_otherwise(judge.knowledge), small=False)
        except Undecided:
            return Tried(mutant, "unnoticed")
        if case is None and not weighed:  # of how certain a cause is there is no proof
            return Tried(mutant, "equivalent")
        # the solver calculates exactly, and people's machines do not: a case on the edge may not tell
        shows = case is not None and self._tells_apart(case, judge)
        return Tried(mutant, "unnoticed", apart=case if shows else None)

    def _reaches_a_cause(self, symbols: Iterable[str]) -> bool:
        """Tell whether the certainty of a cause that is named depends on that of one of `symbols`."""
        program, reached, pending = self.judge.program, set[str](), list(symbols)
        while pending:
            symbol = pending.pop()
            if symbol not in reached:
                reached.add(symbol)
                for number in program.by_symbol.get(symbol, ()):
                    pending += [*program.clauses[number].heads, *_counted_against(program.clauses[number])]
        return not reached.isdisjoint(self.judge.ranking.causes)

    def _tells_apart(self, answers: dict[str, State], judge: Judge) -> bool:
        case = case_of("apart", answers)
        return self.judge.outcome(case) != judge.outcome(case)


def _spans(outlook: Outlook, clause: Clause) -> tuple[Truth, Truth]:
    """Return what a decided outlook says of the condition of a clause, and of its exceptions."""
    return outlook.truth(clause.when), outlook.truth(clause.unless) if clause.unless is not None else NEVER


def _counted_against(clause: Clause) -> tuple[str, ...]:
    """Return the conclusions that a clause counts against."""
    return clause.origin.then if isinstance(clause.origin, Rule) and not clause.heads else ()


def _rests_on_conclusions(clause: Clause) -> bool:
    return any(isinstance(leaf, Holds) for leaf in leaves(clause.when))
