"""Sentences that must hold for every possible case, read from invariants.yaml, and their proof.

They are written in the rule language. Beside the findings they may test three verdicts: `disposition`, `given`
(remedies, by id, trait or tier) and `unsettled` (a rule of a screened level could still fire).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from psoas.faults import Fault, Unusable
from psoas.knowledge.check import known_names
from psoas.knowledge.conditions import ALWAYS
from psoas.knowledge.home import knowledge_home
from psoas.knowledge.model import Answerable, Finding, FindingType, Invariant, Knowledge
from psoas.knowledge.names import unknown_names
from psoas.knowledge.reader import Reader, Skip
from psoas.knowledge.shape import build
from psoas.memory import State
from psoas.readings.prove.prover import Prover, Undecided
from psoas.readings.prove.theory import verdict_words
from psoas.yamltext import parse, place_of, read_bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an invariant holds, and the smallest case found that breaks it."""

    invariant: Invariant
    result: Literal["proved", "broken", "undecided"]
    finding: str = ""  # of `rises` and `adds`: the one that gets worse
    case: dict[str, State] | None = None
    reason: str = ""  # why it is undecided


def verdicts(knowledge: Knowledge) -> dict[str, Answerable]:
    """Return the pseudo-findings an invariant may test."""
    types: dict[str, FindingType] = {"disposition": "one of", "given": "any of", "unsettled": "yes-no"}
    return {
        name: Finding(id=name, name=name, question="", type=types[name], values=dict.fromkeys(words, ""))
        for name, words in verdict_words(knowledge).items()
    }


def read_invariants(knowledge: Knowledge, home: Path | None = None) -> tuple[Invariant, ...]:
    """Return the invariants in `home` (None: the shipped knowledge base). Raises `Unusable` with every fault."""
    folder = home or knowledge_home()
    path = folder / "invariants.yaml"
    if not path.exists():
        return ()
    name = str(path if home else Path(folder.name) / path.name)
    root = parse(read_bytes(path), name)
    reader = Reader(name, {**knowledge.vocabulary, **verdicts(knowledge)})
    found = []
    for node in root.value if root is not None else ():
        try:
            found.append(build(Invariant, node, reader, place=place_of(node, name)))
        except Skip:
            continue
    faults = [*reader.faults, *unknown_names(knowledge, known_names(knowledge), reader.mentions)]
    for item in found:
        if (item.then is None) == (not item.rises and not item.adds):
            faults.append(Fault(item.place, f"{item.id} needs either then:, or rises: or adds:"))
    if faults:
        raise Unusable(faults)
    return tuple(found)


def proofs(prover: Prover, invariant: Invariant) -> Iterator[Verdict]:
    """Yield what can be said of an invariant: one verdict, or of `rises` and `adds` one for each finding."""
    if invariant.then is not None:
        premise = invariant.when if invariant.when is not None else ALWAYS
        yield _verdict(invariant, "", partial(prover.counterexample, premise, invariant.then))
    for finding in (*invariant.rises, *invariant.adds):
        yield _verdict(invariant, finding, partial(prover.fall, finding))


def _verdict(invariant: Invariant, finding: str, search: Callable[[], dict[str, State] | None]) -> Verdict:
    try:
        case = search()
    except Undecided as error:
        return Verdict(invariant, "undecided", finding, reason=str(error))
    return Verdict(invariant, "proved" if case is None else "broken", finding, case)
