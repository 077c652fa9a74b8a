"""For each change that nothing notices a limit that would: a worked case moved to where the change tells.

What is expected there is what the rules say today. That makes it a proposal: an expert reads it before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from psoas.audit.casework.expectations import missed
from psoas.audit.casework.limits import with_changes
from psoas.audit.casework.outcome import Judge, Outcome
from psoas.audit.casework.survivors import Panel, Tried
from psoas.case import Case, Expectation, as_written
from psoas.knowledge.model import Knowledge
from psoas.memory import Standing, State
from psoas.yamltext import flow

if TYPE_CHECKING:
    from psoas.readings.prove.variants import Original


@dataclass(frozen=True, slots=True)
class Proposal:
    """A limit that would notice a change."""

    tries: str
    base: Case
    changed: Mapping[str, Any]  # finding → what is written, None where it is not asked
    expect: Mapping[str, Any]  # as in a case file
    case: Case

    @property
    def text(self) -> str:
        """It as it stands in a file of limits."""
        lines = [f"- tries: {flow(self.tries)}", f"  case: {flow(self.base.id)}"]
        lines += [f"  with: {flow(self.changed)}"] if self.changed else []
        return "\n".join([*lines, f"  expect: {flow(self.expect)}"]) + "\n"


class Proposer:
    """Finds limits for changes that nothing notices."""

    def __init__(self, panel: Panel, bases: Iterable[Case], original: Original) -> None:
        self.panel = panel
        self.knowledge = panel.knowledge
        self.original = original
        self.bases = tuple(bases)

    def proposal(self, tried: Tried) -> Proposal | None:
        """Return a limit that would notice the change, near to a worked case; None if none is found."""
        variant = tried.mutant.applied(self.knowledge)
        judge = Judge(variant)
        for case in self.bases:
            if self.panel.may_differ(case, tried.mutant, judge):
                found = self._from(tried, case, {}, judge)
                if found is not None:
                    return found
        if tried.apart is None:
            return None
        return self._moved(tried, variant, judge)

    def _moved(self, tried: Tried, variant: Knowledge, judge: Judge) -> Proposal | None:
        formula = self.original.advising_otherwise(variant)
        best: Proposal | None = None
        for base in self._starts(tried):
            answers = self.original.case_near(formula, base.answers)
            if answers is None:
                continue
            found = self._from(tried, base, _differences(base.answers, answers), judge)
            if found is not None and (best is None or len(found.changed) < len(best.changed)):
                best = self._shortened(tried, found, judge)
        return best

    def _shortened(self, tried: Tried, found: Proposal, judge: Judge) -> Proposal:
        """Return the proposal without those changed answers that it can do without."""
        for name in found.changed:
            rest = {other: state for other, state in found.changed.items() if other != name}
            found = self._written(tried, found.base, rest, judge) or found
        return found

    def _starts(self, tried: Tried) -> Iterator[Case]:
        """Yield a few worked cases to start from: those in which the item fires, then those with a whole plan."""
        full = {d.id for d in self.knowledge.manifest.dispositions if d.plan == "full"}
        firing = [case for case in self.panel.firing(tried.mutant.item) if case in self.bases]
        yield from firing[:3]
        whole = [case for case in self.bases if case.expect and case.expect.disposition in full]
        yield from [case for case in whole if case not in firing][:2]

    def _from(self, tried: Tried, base: Case, changed: Mapping[str, State | None], judge: Judge) -> Proposal | None:
        written = {name: None if state is None else as_written(state) for name, state in changed.items()}
        return self._written(tried, base, written, judge)

    def _written(self, tried: Tried, base: Case, written: Mapping[str, Any], judge: Judge) -> Proposal | None:
        case = with_changes(self.knowledge, base, written)
        if {item.finding for item in case.rejected} & written.keys():
            return None
        now, then = self.panel.judge.outcome(case), judge.outcome(case)
        expect = expectation_between(now, then, self.knowledge, tried.mutant.item.id)
        if expect is None:
            return None
        parts: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in expect.items()}
        asked = Expectation(**parts)
        if not any(missed(asked, then, judge.knowledge)):
            return None
        return Proposal(tried.mutant.item.id, base, written, expect, replace(case, expect=asked))


def expectation_between(now: Outcome, then: Outcome, knowledge: Knowledge, about: str = "") -> dict[str, Any] | None:
    """Return an expectation that `now` meets and `then` does not, the weightiest there is; None where none is.

    Of several remedies the one it is `about` is named, if it is among them, else the first.
    """
    lead, other = next(iter(now.causes), ""), next(iter(then.causes), "")
    lost = [cause for cause in now.causes if cause not in then.causes]
    come = [cause for cause in then.causes if cause not in now.causes]
    if now.level != then.level:
        return {"disposition": now.level}
    if lost:
        return {"causes": list(dict.fromkeys([lead, lost[0]]))}
    if come:
        return {"not_causes": [come[0]]}
    if now.remedies - then.remedies:
        return {"include": [min(now.remedies - then.remedies, key=lambda remedy: (remedy != about, remedy))]}
    if then.remedies - now.remedies:
        return {"exclude": [min(then.remedies - now.remedies, key=lambda remedy: (remedy != about, remedy))]}
    if lead != other:
        return {"causes": [lead]}
    for said in (knowledge.certainty_word, "{:.2f}".format):
        for cause, certainty in now.causes.items():
            if said(certainty) != said(then.causes[cause]):
                return {"certainty": {cause: said(certainty)}}
    return None


def _differences(base: Mapping[str, State], answers: Mapping[str, State]) -> dict[str, State | None]:
    names = sorted({*base, *answers})
    unasked = Standing.UNASKED
    return {n: answers.get(n) for n in names if answers.get(n, unasked) != base.get(n, unasked)}
