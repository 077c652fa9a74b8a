"""What is asked of a theory: a case in which something holds, or that breaks a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

import z3

from psoas.knowledge.conditions import Condition
from psoas.knowledge.model import Remedy
from psoas.memory import Standing, State
from psoas.readings.prove.answers import Formula
from psoas.readings.prove.theory import Theory


class Undecided(Exception):
    """The solver could not tell; the message says why."""


class Prover(Theory):
    """A theory that can be asked. Each answer is a case, or None for the proof that there is none."""

    def counterexample(self, premise: Condition, conclusion: Condition) -> dict[str, State] | None:
        """Return a case in which `premise` is true and `conclusion` is not; None where there is none."""
        return self.case(self.truth(premise).true, z3.Not(self.truth(conclusion).true))

    def fall(self, finding: str) -> dict[str, State] | None:
        """Return a case whose level falls where the answer to `finding` gets worse and every other answer stays.

        A number gets worse by rising; a choice by going from its clear answer to any other.
        """
        worse, pairs = self._worse(finding)
        rank = {level: number for number, level in enumerate(self.levels)}
        falls = [
            z3.And(self.level[level], z3.substitute(self.level[milder], *pairs))
            for level in self.levels
            for milder in self.levels
            if rank[milder] < rank[level]
        ]
        return self.case(worse, z3.Or(*falls))

    def _worse(self, finding: str) -> tuple[Formula, list[tuple[Any, Any]]]:
        """Return that the answer to `finding` gets worse, and which variables then have which others in their place."""
        item, answers = self.knowledge.findings[finding], self.answers
        if finding in answers.number:
            assert item.range is not None
            number, after = answers.number[finding], z3.Real(f"{finding} after")
            return z3.And(answers.known[finding], after > number, after <= item.range.high), [(number, after)]
        words = answers.words[finding]
        later = {word: z3.Bool(f"{finding} {word} after") for word in words}
        others = [variable for word, variable in later.items() if word != item.clear]
        worse = [words[item.clear], z3.Not(later[item.clear]), z3.Or(*others)]
        if item.type != "any of":
            worse.append(z3.AtMost(*later.values(), 1))
        return z3.And(*worse), [(words[word], later[word]) for word in words]

    def dead_rules(self) -> list[str]:
        """Return the ids of the rules and withholdings that no case can make fire."""
        solver = z3.Solver()
        solver.add(*self.answers.allowed, *self.consistent)
        dead = []
        for number, clause in enumerate(self.program.clauses):
            if not isinstance(clause.origin, Remedy):
                solver.push()
                solver.add(self.fires[number])
                if solver.check() == z3.unsat:
                    dead.append(clause.id)
                solver.pop()
        return sorted(dead)

    def case(self, *formulas: Formula, timeout: float = 60, small: bool = True) -> dict[str, State] | None:
        """Return a case in which all `formulas` hold, unless not `small` with few answers; None where there is none.

        Raises `Undecided` where z3 cannot tell within `timeout` seconds.
        """
        solver = z3.Solver()
        solver.set("timeout", int(timeout * 1000))
        solver.add(*self.answers.allowed, *self.consistent, *formulas)
        result = solver.check()
        if result == z3.unsat:
            return None
        if result != z3.sat:
            raise Undecided(solver.reason_unknown())
        return self._smallest(solver) if small else self.answers.read(solver.model())

    def case_near(self, formula: Formula, answers: Mapping[str, State]) -> dict[str, State] | None:
        """Return a case in which `formula` holds, with as many of `answers` as can be kept one by one; or None.

        Numbers that must be others are whole ones where that is possible.
        """
        solver = z3.Solver()
        solver.set("rlimit", 50_000_000)  # of steps, not seconds: the same case on every machine
        solver.add(*self.answers.allowed, *self.consistent, formula)
        if solver.check() != z3.sat:
            return None
        solver.set("rlimit", 2_000_000)  # a wish that takes more is not granted
        self._keep(
            solver, [self.answers.equal(n, answers.get(n, Standing.UNASKED)) for n in sorted(self.answers.asked)]
        )
        if solver.check() != z3.sat:
            return None
        return self._rounded(solver)

    def _rounded(self, solver: Any) -> dict[str, State]:
        """Return a case of a satisfiable `solver`, its numbers whole where that is possible one by one."""
        model = solver.model()
        numbers = [*self.answers.number.values(), *(n for series in self.answers.series.values() for n in series)]
        for number in numbers:
            value = model.eval(number, model_completion=True).as_fraction()
            for whole in (floor(value), ceil(value)) if value.denominator > 1 else ():
                if solver.check(number == whole) == z3.sat:
                    model = solver.model()
                    solver.add(number == whole)
                    break
        return self.answers.read(model)

    def _keep(self, solver: Any, wishes: list[Formula]) -> None:
        """Add those of `wishes` that the solver can grant, half by half: most can be granted together."""
        if not wishes:
            return
        if solver.check(*wishes) == z3.sat:
            solver.add(*wishes)
        elif len(wishes) > 1:
            middle = len(wishes) // 2
            self._keep(solver, wishes[:middle])
            self._keep(solver, wishes[middle:])

    def _smallest(self, solver: Any) -> dict[str, State]:
        """Return the case of a satisfiable `solver` with as many findings not asked as can be left out one by one."""
        model = solver.model()
        for name in sorted(self.answers.asked):
            if z3.is_true(model.eval(self.answers.asked[name], model_completion=True)):
                solver.push()
                solver.add(z3.Not(self.answers.asked[name]))
                if solver.check() == z3.sat:
                    model = solver.model()
                else:
                    solver.pop()
            else:
                solver.add(z3.Not(self.answers.asked[name]))
        solver.check()
        return self.answers.read(solver.model())
