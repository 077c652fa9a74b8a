"""Looking ahead on one case: triage, the questions to ask next, and what would change the advice. No yardstick."""

from __future__ import annotations

from dataclasses import dataclass

from bench.measure import Ratio, interleaved, milliseconds, ratio
from bench.programs import Subject, each
from psoas.knowledge.model import Knowledge
from psoas.memory import WorkingMemory
from psoas.nearmiss import NearMisses
from psoas.prospect import Prospect
from psoas.readings.fire import Inference
from psoas.readings.foresee import established, foreseen
from psoas.triage import Screen


@dataclass(frozen=True)
class Looked:
    """One way of looking ahead: ms a case, and in terms of one `fire` of the same case."""

    name: str
    case: float
    of_fire: Ratio


@dataclass(frozen=True)
class Foresight:
    """All measurements of looking ahead."""

    rows: tuple[Looked, ...]
    cases: int
    rounds: int
    tried: float  # answers tried to find what would change the advice, a case
    agreeing: int  # cases on which triage is the same judged alone and by firing


def measure(knowledge: Knowledge, subject: Subject, rounds: int) -> Foresight:
    """Measure the shipped knowledge base on its own cases."""
    program, memories = subject.program, subject.memories
    screen = Screen(knowledge, program)
    prospect = Prospect(knowledge, program, screen)
    near_misses = NearMisses(knowledge, screen)
    inference = Inference(program)
    work = {
        "fire": inference.fire,
        "established (two-valued)": lambda memory: established(program, memory),
        "foreseen (three-valued)": lambda memory: foreseen(program, memory),
        "triage": screen.judge,
        "what to ask next": prospect.questions,
        "what would change the advice": near_misses.turns,
    }
    times = interleaved({name: each(memories, run) for name, run in work.items()}, rounds)
    rows = tuple(
        Looked(name, milliseconds(times[name], len(memories)), ratio(times[name], times["fire"])) for name in work
    )
    tried = sum(_tried(near_misses, memory) for memory in memories) / len(memories)
    agreeing = sum(_agree(screen, inference, memory) for memory in memories)
    return Foresight(rows, len(memories), rounds, tried, agreeing)


def _tried(near_misses: NearMisses, memory: WorkingMemory) -> int:
    """Return how many evaluations of a changed case `turns` makes."""
    count = 0
    original = WorkingMemory.changed

    def counting(self: WorkingMemory, *arguments: object) -> object:
        nonlocal count
        count += 1
        return original(self, *arguments)  # type: ignore[arg-type]

    WorkingMemory.changed = counting  # type: ignore[method-assign, assignment]
    try:
        near_misses.turns(memory)
    finally:
        WorkingMemory.changed = original  # type: ignore[method-assign]
    return count


def _agree(screen: Screen, inference: Inference, memory: WorkingMemory) -> bool:
    fired = {firing.rule for firing in inference.fire(memory)}
    return set(screen.judge(memory).fired) == fired & {clause.id for _, clause, _ in screen.rules}
