"""A case at a time, in a warm process: a whole consultation against the bare inference of other engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.measure import Ratio, interleaved, milliseconds, ratio
from bench.peers import NAMES, Engine, engines, missing, settled
from bench.programs import CASES, each, random_memories
from psoas.case import read_case
from psoas.consultation import Consultant
from psoas.knowledge.model import Knowledge
from psoas.memory import WorkingMemory

CONSULT = "`Consultant.consult`"
STATES = "the states of the findings alone"


@dataclass(frozen=True)
class Entrant:
    """One way to judge a case."""

    name: str
    build: float | None  # ms
    case: float  # ms, from the answers on
    of_consult: Ratio  # how many times as long as a consultation it takes
    agreeing: int | None
    checked: int | None


@dataclass(frozen=True)
class Lane:
    """All measurements of the fast lane."""

    entrants: tuple[Entrant, ...]  # the consultation first
    cases: int
    rounds: int
    missing: Mapping[str, str]

    def of(self, name: str) -> Entrant | None:
        """Return the entrant of that name, if it ran."""
        return next((entrant for entrant in self.entrants if entrant.name == name), None)


def measure(knowledge: Knowledge, worked: int, compared: tuple[int | None, int], rounds: int) -> Lane:
    """Time `worked` worked cases; before, compare on them, on so many others (None: all) and so many random ones."""
    consultant = Consultant(knowledge)
    files = sorted(CASES.glob("*.yaml"))
    chosen = files[:: max(1, len(files) // worked)][:worked]
    timed = [read_case(knowledge, file) for file in chosen]
    more, random = compared
    others = [read_case(knowledge, file) for file in files if file not in chosen][:more]
    memories = [WorkingMemory(consultant.vocabulary, case.answers) for case in (*timed, *others)]
    memories += random_memories(consultant, random)
    found = engines(consultant.program, consultant.vocabulary, memories, NAMES, slow=len(timed))
    subject = tuple(memories[: len(timed)])
    tasks = {CONSULT: lambda: [consultant.consult(case) for case in timed], STATES: each(subject, settled)}
    tasks |= {engine.name: each(subject, engine.conclude) for engine in found}
    times = interleaved(tasks, rounds)
    by_name: Mapping[str, Engine | None] = {CONSULT: None, STATES: None, **{engine.name: engine for engine in found}}
    return Lane(
        tuple(_entrant(name, engine, times[name], times[CONSULT], len(timed)) for name, engine in by_name.items()),
        len(timed),
        rounds,
        missing(),
    )


def _entrant(name: str, engine: Engine | None, times: Sequence[float], consult: Sequence[float], cases: int) -> Entrant:
    return Entrant(
        name,
        engine.build if engine else None,
        milliseconds(times, cases),
        ratio(times, consult),
        engine.agreeing if engine else None,
        engine.checked if engine else None,
    )
