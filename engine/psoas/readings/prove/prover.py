"""What is asked of a theory: a case in which something holds, or that breaks a sentence; which rules can fire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import z3

from psoas.knowledge.conditions import Condition
from psoas.knowledge.model import Remedy
from psoas.memory import State
from psoas.readings.prove.answers import Answers, Formula
from psoas.readings.prove.arithmetic import FALSE
from psoas.readings.prove.search import Search, smallest
from psoas.readings.prove.theory import Theory

Pair: TypeAlias = tuple[dict[str, State], dict[str, State]]
"""A case, and the answers by which it becomes another."""


class Prover(Theory):
    """A theory that can be asked. Each answer is a case, or None for the proof that there is none.

    Whatever is asked raises `Undecided` where z3 cannot tell in time.
    """

    @cached_property
    def search(self) -> Search:
        """The search among all cases whose answers do not contradict each other."""
        return Search(self.answers, self.consistent)

    def case(self, *formulas: Formula) -> dict[str, State] | None:
        """Return a case, as small as it is found, in which all `formulas` hold; None where there is none."""
        return self.search.case(*formulas)

    def counterexample(self, premise: Condition, conclusion: Condition) -> dict[str, State] | None:
        """Return a case in which `premise` is true and `conclusion` is not; None where there is none."""
        return self.case(self.truth(premise).true, z3.Not(self.truth(conclusion).true))

    # rules

    @property
    def rules(self) -> list[int]:
        """The numbers of the clauses that are rules or withholdings, in the order of their ids."""
        clauses = self.program.clauses
        return sorted(
            (number for number, clause in enumerate(clauses) if not isinstance(clause.origin, Remedy)),
            key=lambda number: clauses[number].id,
        )

    def reach(self) -> Iterator[tuple[str, bool | None]]:
        """Yield the id of each rule and withholding, and whether some case makes it fire; None where z3 cannot tell."""
        for number in self.rules:
            yield self.program.clauses[number].id, self.search.possible(self.fires[number])

    # two cases of which one becomes the other

    def turned(self, premise: Condition, conclusion: Condition) -> Pair | None:
        """Return a case in which `premise` is true, and what may still be answered in it so that `conclusion` is not.

        None where there is none: then the conclusion is true however the open questions are answered.
        """
        later = self._later(self.knowledge.findings)
        extended = [self._extended(finding, later.case) for finding in self.knowledge.findings]
        formulas = [self.truth(premise).true, z3.Not(later.of(self.truth(conclusion).true)), *extended]
        return self._pair(later, formulas)

    def fall(self, finding: str) -> Pair | None:
        """Return a case whose level falls where the answer to `finding` gets worse, and that answer.

        A number gets worse by rising; a choice by going from its clear answer to any other, a set also by one word
        more, and a yes-no finding by being answered with the alarming word where it had no valid answer.
        """
        later = self._later([finding])
        rank = {level: number for number, level in enumerate(self.levels)}
        falls = [
            z3.And(self.level[level], later.of(self.level[milder]))
            for level in self.levels
            for milder in self.levels
            if rank[milder] < rank[level]
        ]
        otherwise = self.knowledge.manifest.otherwise
        cleared = later.of(self.level[otherwise.settled])
        falls.append(z3.And(self.level[otherwise.unasked], self.answers.known[finding], cleared))
        return self._pair(later, [self._worse(finding, later.case), z3.Or(*falls)])

    def _worse(self, finding: str, later: Answers) -> Formula:
        """Return that the answer to `finding` is worse in the case `later`."""
        item, before = self.knowledge.findings[finding], self.answers
        known = z3.And(later.asked[finding], later.known[finding])
        if finding in before.number:
            return z3.And(before.known[finding], known, later.number[finding] > before.number[finding])
        words, after = before.words[finding], later.words[finding]
        alarming = z3.And(known, z3.Not(after[item.clear]))
        if item.type == "any of":
            kept = [z3.Implies(word, after[name]) for name, word in words.items() if name != item.clear]
            whole = before.partly[finding] == later.partly[finding]
            return z3.And(before.known[finding], alarming, whole, *kept, z3.Or(*after.values()))
        unanswered = z3.Not(before.known[finding]) if item.type == "yes-no" else FALSE
        return z3.And(z3.Or(words[item.clear], unanswered), alarming)

    def _extended(self, finding: str, later: Answers) -> Formula:
        """Return that what is answered of `finding` stays so in the case `later`, and what is open may be answered."""
        answers = self.answers
        variables = zip(answers.variables(finding), later.variables(finding), strict=True)
        stays = z3.And(*(one == other for one, other in variables))
        partly = answers.partly.get(finding, FALSE)
        words = zip(answers.words.get(finding, {}).values(), later.words.get(finding, {}).values(), strict=True)
        more = z3.And(later.known[finding], *(z3.Implies(one, other) for one, other in words))
        return z3.And(
            z3.Implies(answers.asked[finding], later.asked[finding]),
            z3.Implies(z3.And(answers.known[finding], z3.Not(partly)), stays),
            z3.Implies(partly, more),
            z3.Implies(self.lacking(finding), z3.Not(later.known[finding])),
        )

    def _later(self, findings: Iterable[str]) -> _Later:
        case = Answers(self.knowledge, " later")
        variables = {name: (self.answers.variables(name), case.variables(name)) for name in findings}
        return _Later(case, {name: list(zip(*both, strict=True)) for name, both in variables.items()})

    def _pair(self, later: _Later, formulas: list[Formula]) -> Pair | None:
        """Return a case and the answers by which it becomes the later one, both as few as they are found."""
        solver = self.search.solved([*formulas, *later.case.allowed, *map(later.of, self.consistent)])
        if solver is None:
            return None
        before = smallest(solver, self.answers)
        after = smallest(solver, later.case)
        return before, {n: state for n, state in after.items() if n in later.pairs and state != before.get(n)}


@dataclass(frozen=True)
class _Later:
    """A second case, and for some findings which of its variables stand for which of the first."""

    case: Answers
    pairs: dict[str, list[tuple[Any, Any]]]

    def of(self, formula: Formula) -> Formula:
        """Return `formula` as it is in the second case."""
        return z3.substitute(formula, *(pair for pairs in self.pairs.values() for pair in pairs))
