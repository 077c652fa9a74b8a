"""The proofs of the sentences of a knowledge base, for every possible case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from psoas.knowledge.conditions import ALWAYS
from psoas.knowledge.model import Invariant
from psoas.memory import State
from psoas.readings.prove.prover import Pair, Prover
from psoas.readings.prove.search import Undecided


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an invariant holds, and the smallest case found that breaks it."""

    invariant: Invariant
    result: Literal["proved", "broken", "undecided"]
    finding: str = ""  # of `rises` and `adds`: the one that gets worse
    case: Mapping[str, State] | None = None
    after: Mapping[str, State] = field(default_factory=dict)  # of `later`, `rises` and `adds`: what is answered then
    reason: str = ""  # why it is undecided

    @property
    def name(self) -> str:
        """The id of the sentence, and the finding it is about."""
        return "-".join(filter(None, [self.invariant.id, self.finding]))


def proofs(prover: Prover, invariant: Invariant) -> Iterator[Verdict]:
    """Yield what can be said of an invariant: a verdict for each thing it says, of `rises` and `adds` one a finding."""
    premise = invariant.when if invariant.when is not None else ALWAYS
    if invariant.then is not None:
        conclusion = invariant.then
        yield _verdict(invariant, "", lambda: _alone(prover.counterexample(premise, conclusion)))
    if invariant.later is not None:
        yield _verdict(invariant, "", partial(prover.turned, premise, invariant.later))
    for finding in (*invariant.rises, *invariant.adds):
        yield _verdict(invariant, finding, partial(prover.fall, finding))


def _alone(case: dict[str, State] | None) -> Pair | None:
    return None if case is None else (case, {})


def _verdict(invariant: Invariant, finding: str, search: Callable[[], Pair | None]) -> Verdict:
    try:
        found = search()
    except Undecided as error:
        return Verdict(invariant, "undecided", finding, reason=str(error))
    return Verdict(invariant, "broken", finding, *found) if found else Verdict(invariant, "proved", finding)
