"""A case free in every finding: a value within its range, unknown, or not asked, as variables of z3."""

from __future__ import annotations

from typing import Any, TypeAlias

import z3

from psoas.knowledge.conditions import OPEN
from psoas.knowledge.model import Finding, Knowledge
from psoas.memory import Standing, State

Formula: TypeAlias = Any
"""A z3 expression of the sort Bool."""


class Answers:
    """The variables of one finding each, and what is allowed of them; `suffix` tells two cases apart."""

    def __init__(self, knowledge: Knowledge, suffix: str = "") -> None:
        self.suffix = suffix
        self.asked: dict[str, Formula] = {}
        self.known: dict[str, Formula] = {}
        self.words: dict[str, dict[str, Formula]] = {}
        self.partly: dict[str, Formula] = {}  # of a set: whether the rest of it is open
        self.number: dict[str, Any] = {}
        self.series: dict[str, list[Any]] = {}  # right-aligned: the last number stands last
        self.length: dict[str, Any] = {}
        self.allowed: list[Formula] = []
        for finding in knowledge.findings.values():
            self._declare(finding)

    def _declare(self, finding: Finding) -> None:
        name = finding.id + self.suffix
        asked, known = z3.Bool(f"{name} asked"), z3.Bool(f"{name} known")
        self.asked[finding.id], self.known[finding.id] = asked, known
        self.allowed.append(z3.Implies(known, asked))
        if finding.range is not None:
            self._declare_numbers(finding, name, known)
            return
        words = {value: z3.Bool(f"{name} {value}") for value in finding.values}
        self.words[finding.id] = words
        if finding.type != "any of":
            self.allowed += [known == z3.Or(*words.values()), z3.AtMost(*words.values(), 1)]
            return
        partly = self.partly[finding.id] = z3.Bool(f"{name} partly")
        self.allowed.append(known == z3.Or(*words.values(), partly))
        for value in finding.alone:
            others = [word for other, word in words.items() if other != value]
            self.allowed.append(z3.Implies(words[value], z3.Not(z3.Or(*others, self.partly[finding.id]))))

    def _declare_numbers(self, finding: Finding, name: str, known: Formula) -> None:
        assert finding.range is not None
        low, high = finding.range.low, finding.range.high
        if finding.length is None:
            number = self.number[finding.id] = z3.Real(name)
            self.allowed += [number >= low, number <= high]
            return
        longest = int(finding.length.high)
        series = self.series[finding.id] = [z3.Real(f"{name} {place}") for place in range(longest)]
        length = self.length[finding.id] = z3.Int(f"{name} length")
        self.allowed += [length >= int(finding.length.low), length <= longest]
        self.allowed += [z3.And(number >= low, number <= high) for number in series]

    def equal(self, finding: str, state: State) -> Formula:
        """Return that `finding` is in `state`: a value, unknown, or not asked."""
        asked, known = self.asked[finding], self.known[finding]
        if state is Standing.UNASKED:
            return z3.Not(asked)
        if state is Standing.UNKNOWN:
            return z3.And(asked, z3.Not(known))
        parts = [known]
        if isinstance(state, float):
            parts.append(self.number[finding] == state)
        elif isinstance(state, tuple):
            series = self.series[finding][-len(state) :]
            parts.append(self.length[finding] == len(state))
            parts += [number == value for number, value in zip(series, state, strict=True)]
        else:
            chosen = state if isinstance(state, frozenset) else {state}
            parts += [variable == (word in chosen) for word, variable in self.words[finding].items()]
            if finding in self.partly:
                parts.append(self.partly[finding] == (OPEN in chosen))
        return z3.And(*parts)

    def variables(self, finding: str) -> list[Any]:
        """Return every variable of `finding`, in the same order for every case."""
        found = [self.asked[finding], self.known[finding], *self.words.get(finding, {}).values()]
        found += [room[finding] for room in (self.partly, self.number, self.length) if finding in room]
        return found + self.series.get(finding, [])

    def numbers(self, finding: str) -> list[Any]:
        """Return the numbers among the variables of `finding`."""
        return [self.number[finding]] if finding in self.number else self.series.get(finding, [])

    def read(self, model: Any) -> dict[str, State]:
        """Return the answers of a model."""
        case: dict[str, State] = {}
        for name in self.asked:
            if not _holds(model, self.asked[name]):
                continue
            case[name] = self._answer(model, name) if _holds(model, self.known[name]) else Standing.UNKNOWN
        return case

    def _answer(self, model: Any, name: str) -> State:
        if name in self.number:
            return _float(model, self.number[name])
        if name in self.series:
            length = int(_float(model, self.length[name]))
            return tuple(_float(model, number) for number in self.series[name][-length:])
        chosen = [word for word, variable in self.words[name].items() if _holds(model, variable)]
        if name not in self.partly:
            return chosen[0]
        rest = [OPEN] if _holds(model, self.partly[name]) else []
        return frozenset([*chosen, *rest])


def _holds(model: Any, formula: Formula) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def _float(model: Any, term: Any) -> float:
    value = model.eval(term, model_completion=True)
    return float(value.as_long() if z3.is_int_value(value) else value.as_fraction())
