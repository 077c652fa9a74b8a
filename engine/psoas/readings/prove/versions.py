"""Two versions of a knowledge base over one free case: what is judged otherwise, by proof in any case whatever.

Each version reads the same answers as it would: one that it refuses, as out of its range, not among its values or in
contradiction with another, is unknown to it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from psoas.knowledge.model import Finding, Knowledge, Span
from psoas.knowledge.program import Program
from psoas.memory import State
from psoas.readings.prove.answers import Answers, Formula
from psoas.readings.prove.arithmetic import FALSE
from psoas.readings.prove.search import Search, Undecided
from psoas.readings.prove.theory import Theory


class Versions:
    """Two versions as formulas over one case. What is asked raises `Undecided` where that cannot be told."""

    def __init__(self, old: Knowledge, new: Knowledge) -> None:
        """Raises `Undecided` where a finding has become another kind of answer, or the scale of urgency another."""
        scales = [[level.id for level in side.manifest.dispositions] for side in (old, new)]
        if scales[0] != scales[1] or old.manifest.otherwise != new.manifest.otherwise:
            raise Undecided("the scale of urgency has changed")
        shared = {**old.findings, **new.findings}
        for name in old.findings.keys() & new.findings.keys():
            shared[name] = _joined(old.findings[name], new.findings[name])
        self.answers = Answers(replace(new, findings=shared))
        self.search = Search(self.answers)
        self.old, self.new = (Theory(side, answers=_as_read(side, self.answers)) for side in (old, new))

    def less_urgent(self) -> tuple[dict[str, State], str, str] | None:
        """Return a case that the new version triages less urgently than the old one, and both levels.

        Less urgent is a milder level, and the mildest where the old version could not judge. None: there is no case.
        """
        return self._moved(self.old, self.new)

    def more_urgent(self) -> tuple[dict[str, State], str, str] | None:
        """Return a case that the new version triages more urgently, and both levels: the old one first."""
        found = self._moved(self.new, self.old)
        return found and (found[0], found[2], found[1])

    def _moved(self, high: Theory, low: Theory) -> tuple[dict[str, State], str, str] | None:
        """Return a case that `low` triages less urgently than `high` does, and both levels; the gravest fall first."""
        rank = {level: number for number, level in enumerate(low.levels)}
        unjudged, mildest = high.knowledge.manifest.otherwise.unasked, low.knowledge.manifest.otherwise.settled
        pairs = [(one, two) for one in high.levels for two in low.levels if rank[two] < rank.get(one, -1)]
        pairs.append((unjudged, mildest))
        for one, two in sorted(pairs, key=lambda pair: -rank.get(pair[0], -1)):
            case = self.search.case(high.level[one], low.level[two])
            if case is not None:
                return case, one, two
        return None

    def otherwise_judged(self) -> tuple[dict[str, State], str, str] | None:
        """Return a case that gets another level, in whichever direction, and both levels; None where there is none."""
        apart = [(one, two) for one in self.old.level for two in self.new.level if one != two]
        if self.search.possible(z3.Or(*(self._both(*pair) for pair in apart))) is False:
            return None
        cases = ((self.search.case(self._both(*pair)), *pair) for pair in apart)
        return next(((case, one, two) for case, one, two in cases if case is not None), None)

    def _both(self, one: str, two: str) -> Formula:
        return z3.And(self.old.level[one], self.new.level[two])

    def established(self) -> Iterator[tuple[str, bool]]:
        """Yield each conclusion that some case now comes to or no longer comes to, and whether it does now."""
        names = sorted({*self.old.knowledge.conclusions, *self.new.knowledge.conclusions})
        for name in names:
            yield from self._apart(name, self.old.holds(name), self.new.holds(name))

    def given(self) -> Iterator[tuple[str, bool]]:
        """Yield each remedy that some case is now given or no longer given, and whether it is now."""
        for name in sorted({*self.old.knowledge.remedies, *self.new.knowledge.remedies}):
            yield from self._apart(name, _given(self.old, name), _given(self.new, name))

    def newly_given(self, remedy: str) -> dict[str, State] | None:
        """Return a case that is given `remedy` now and was not before."""
        return self.search.case(_given(self.new, remedy), z3.Not(_given(self.old, remedy)))

    def _apart(self, name: str, before: Formula, after: Formula) -> Iterator[tuple[str, bool]]:
        for now, formula in ((True, z3.And(after, z3.Not(before))), (False, z3.And(before, z3.Not(after)))):
            found = self.search.possible(formula)
            if found is None:
                raise Undecided(f"{name} took too long")
            if found:
                yield name, now


def _given(side: Theory, remedy: str) -> Formula:
    return side.given(remedy) if remedy in side.knowledge.remedies else FALSE


def _joined(one: Finding, other: Finding) -> Finding:
    """Return a finding that takes every answer which either takes."""
    kinds = [(f.range is not None, f.length is not None, f.type == "any of") for f in (one, other)]
    if kinds[0] != kinds[1]:
        raise Undecided(f"{one.id} was {one.type} and is {other.type} now")
    return replace(
        other,
        type=other.type if one.type == other.type else "one of",
        values={**one.values, **other.values},
        alone=tuple(value for value in one.alone if value in other.alone),
        range=_wider(one.range, other.range),
        length=_wider(one.length, other.length),
    )


def _wider(one: Span | None, other: Span | None) -> Span | None:
    return Span(min(one.low, other.low), max(one.high, other.high)) if one and other else None


def _as_read(knowledge: Knowledge, answers: Answers) -> Answers:
    """Return `answers` as a reader of `knowledge` sees them: what it refuses is asked, and unknown."""
    typed = _without(answers, {name: _misfit(item, answers) for name, item in knowledge.findings.items()})
    reader = Theory(knowledge, Program(()), typed)
    refused: dict[str, list[Formula]] = {}
    for rule in knowledge.contradictions.values():
        for name in rule.refuse:
            refused.setdefault(name, []).append(reader.truth(rule.when).true)
    return _without(typed, {name: z3.Or(*reasons) for name, reasons in refused.items()})


def _without(answers: Answers, refused: dict[str, Formula]) -> Answers:
    """Return `answers` in which each finding is unknown where the formula under its name holds."""
    view = copy.copy(answers)
    view.known, view.words, view.partly = dict(answers.known), dict(answers.words), dict(answers.partly)
    for name, reason in refused.items():
        if z3.is_false(reason):
            continue
        kept = partial(z3.And, z3.Not(reason))
        view.known[name] = kept(view.known[name])
        if name in view.words:
            view.words[name] = {word: kept(chosen) for word, chosen in view.words[name].items()}
        if name in view.partly:
            view.partly[name] = kept(view.partly[name])
    return view


def _misfit(item: Finding, answers: Answers) -> Formula:
    """Return that the answer to `item` is none that it takes."""
    name, wrong = item.id, list[Formula]()
    if item.range is not None:
        wrong += [_outside(item.range, answers.number[name])] if item.length is None else []
    if item.range is not None and item.length is not None:
        series, length = answers.series[name], answers.length[name]
        wrong.append(_outside(item.length, length))
        for place, number in enumerate(series):
            wrong.append(z3.And(length >= len(series) - place, _outside(item.range, number)))
    words = answers.words.get(name, {})
    wrong += [chosen for word, chosen in words.items() if word not in item.values]
    for value in item.alone:
        others = [chosen for word, chosen in words.items() if word != value]
        wrong.append(z3.And(words[value], z3.Or(*others, answers.partly[name])))
    return z3.simplify(z3.Or(*wrong))


def _outside(span: Span, number: Any) -> Formula:
    return z3.Or(number < span.low, number > span.high)
