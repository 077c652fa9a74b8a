"""The search for a case in which formulas hold, and for one as small as can be told to a person."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import z3

from psoas.memory import State
from psoas.readings.prove.answers import Answers, Formula


class Undecided(Exception):
    """The solver could not tell; the message says why."""


class Search:
    """A search among the cases that `answers` stand for and in which all of `assumed` holds."""

    def __init__(self, answers: Answers, assumed: Iterable[Formula] = (), timeout: float = 60) -> None:
        self.answers = answers
        self.assumed = [*answers.allowed, *assumed]
        self.timeout = timeout
        self._kept: Any = None  # a solver that keeps what it learnt

    def case(self, *formulas: Formula) -> dict[str, State] | None:
        """Return a case, as small as it is found, in which all `formulas` hold; None where there is none.

        Raises `Undecided` where z3 cannot tell in time.
        """
        solver = self.solved(formulas)
        return None if solver is None else smallest(solver, self.answers)

    def possible(self, formula: Formula) -> bool | None:
        """Tell whether `formula` holds in some case; None where z3 cannot tell in time."""
        if self._kept is None:
            self._kept = self._solver()
        self._kept.push()
        self._kept.add(formula)
        result = checked(self._kept)
        self._kept.pop()
        return None if result == z3.unknown else bool(result == z3.sat)

    def solved(self, formulas: Iterable[Formula]) -> Any:
        """Return a solver that has found a case in which all `formulas` hold; None where there is none.

        Raises `Undecided` where z3 cannot tell in time.
        """
        formulas = list(formulas)
        if self.possible(z3.And(*formulas)) is False:
            return None
        solver = self._solver()  # a new one: what it finds does not depend on what was asked before
        solver.add(*formulas)
        result = checked(solver)
        if result == z3.unknown:
            raise Undecided(solver.reason_unknown())
        return solver if result == z3.sat else None

    def _solver(self) -> Any:
        solver = z3.Solver()
        solver.set("timeout", int(self.timeout * 1000))
        solver.add(*self.assumed)
        return solver


def smallest(solver: Any, answers: Answers) -> dict[str, State]:
    """Return the case of a satisfiable `solver` with as many findings not asked as can be left out one by one.

    What is left is fixed in the solver, with numbers as people write them where those will do.
    """
    model = solver.model()
    for name in sorted(answers.asked):
        asked = answers.asked[name]
        if not _holds(model, asked):
            solver.add(z3.Not(asked))
        else:
            model = _also(solver, z3.Not(asked)) or model
    for name in sorted(answers.asked):
        for number in answers.numbers(name) if _holds(model, answers.known[name]) else ():
            ways = (_also(solver, number == value) for value in _round(_fraction(model, number)))
            model = next(filter(None, ways), model)
    every = [variable for name in answers.asked for variable in answers.variables(name)]
    solver.add(*(variable == model.eval(variable, model_completion=True) for variable in every))
    checked(solver)
    return answers.read(model)


STEPS = 2_000_000
"""What a wish may cost the solver: steps, not seconds, so that every machine finds the same case."""


def nearest(solver: Any, answers: Answers, wishes: list[Formula]) -> dict[str, State]:
    """Return the case of a satisfiable `solver` that meets as many `wishes` as can be met one by one.

    Numbers that must be others are as people write them where those will do.
    """
    model = solver.model()
    solver.set("rlimit", STEPS)
    _grant(solver, wishes)
    if checked(solver) == z3.sat:
        model = solver.model()
    for name in sorted(answers.asked):
        for number in answers.numbers(name) if _holds(model, answers.known[name]) else ():
            ways = (_also(solver, number == value) for value in _round(_fraction(model, number)))
            model = next(filter(None, ways), model)
    return answers.read(model)


def _grant(solver: Any, wishes: list[Formula]) -> None:
    """Add those of `wishes` that the solver can grant, half by half: most can be granted together."""
    if wishes and checked(solver, *wishes) == z3.sat:
        solver.add(*wishes)
    elif len(wishes) > 1:
        middle = len(wishes) // 2
        _grant(solver, wishes[:middle])
        _grant(solver, wishes[middle:])


def checked(solver: Any, *assumed: Formula) -> Any:
    """Return what `solver` finds. An interrupt that z3 has caught goes on to the caller."""
    result = solver.check(*assumed)
    if result == z3.unknown and "interrupted" in solver.reason_unknown():
        raise KeyboardInterrupt
    return result


def _also(solver: Any, formula: Formula) -> Any:
    """Return a model in which `formula` holds too, and keep it so; None, with all as it was, where there is none."""
    solver.push()
    solver.add(formula)
    if checked(solver) == z3.sat:
        return solver.model()
    solver.pop()
    return None


def _round(value: Fraction) -> Iterable[Any]:
    """Yield the numbers near `value`, those with the fewest decimals first."""
    for decimals in range(5):
        under = 10**decimals
        low = math.floor(value * under)
        yield from (z3.Q(number, under) for number in dict.fromkeys((low, math.ceil(value * under))))


def _holds(model: Any, formula: Formula) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def _fraction(model: Any, term: Any) -> Fraction:
    return Fraction(str(model.eval(term, model_completion=True).as_fraction()))
