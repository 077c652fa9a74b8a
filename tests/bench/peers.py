"""Everything that concludes the same from a case, side by side: built once, and compared before anything is timed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import Any

from bench.measure import collector_off
from psoas.knowledge.program import Program
from psoas.memory import Vocabulary, WorkingMemory
from psoas.readings.foresee import established

FIRE, STOCK, CLIPS, ZEN, LOOP, STRAIGHT = (
    "`fire`",
    "stock experta",
    "clipspy",
    "zen-engine",
    "a loop over `foresee`",
    "straight-line Python",
)
NAMES = (FIRE, STOCK, CLIPS, ZEN, LOOP, STRAIGHT)
PACKAGES = {CLIPS: ("clips", "clipspy"), ZEN: ("zen", "zen-engine")}  # module, package
EXTRA = "bench"

Conclude = Callable[[WorkingMemory], frozenset[str]]


@dataclass(frozen=True)
class Engine:
    """One of them, built for one program, and how it did on the cases it was checked on."""

    name: str
    conclude: Conclude
    build: float  # ms
    agreeing: int
    checked: int

    def __str__(self) -> str:
        return f"{self.name}: {self.agreeing} of {self.checked}"


def missing(names: Sequence[str] = NAMES) -> dict[str, str]:
    """Return the peers among `names` that cannot run here → why."""
    return {
        name: f"{package} is not installed (pip install 'psoas[{EXTRA}]')"
        for name, (module, package) in PACKAGES.items()
        if name in names and find_spec(module) is None
    }


def engines(
    program: Program,
    vocabulary: Vocabulary,
    cases: Sequence[WorkingMemory],
    names: Sequence[str] = NAMES,
    *,
    slow: int | None = None,
) -> list[Engine]:
    """Return those of `names` that can run here, each checked on `cases`; stock experta on the first `slow` of them.

    What must come out is `established`, the evaluation that the tests hold `fire` against. Of two ways to write the
    same for one engine, the one that is quicker on the first cases is taken.
    """
    absent = missing(names)
    wanted = [established(program, case).established() for case in cases]
    found = []
    for name in names:
        if name not in absent:
            conclude, build = _built(name, program, vocabulary, cases[:3])
            checked = len(cases) if slow is None or name != STOCK else min(slow, len(cases))
            agreeing = sum(conclude(case) == right for case, right in zip(cases[:checked], wanted, strict=False))
            found.append(Engine(name, conclude, build, agreeing, checked))
    return found


def _built(
    name: str, program: Program, vocabulary: Vocabulary, trial: Sequence[WorkingMemory]
) -> tuple[Conclude, float]:
    """Return the quickest spelling of an engine and the ms it took to build."""
    spellings, candidates = _spellings(name, program, vocabulary), []
    for make in spellings:
        with collector_off():
            start = perf_counter()
            conclude = make()
            build = 1000 * (perf_counter() - start)
            tried = trial if len(spellings) > 1 else ()
            least = sum(min(_seconds(conclude, case) for _ in range(5)) for case in tried)
        candidates.append((least, len(candidates), conclude, build))
    _, _, conclude, build = min(candidates)
    return conclude, build


def _seconds(conclude: Conclude, case: WorkingMemory) -> float:
    start = perf_counter()
    conclude(case)
    return perf_counter() - start


def _spellings(name: str, program: Program, vocabulary: Vocabulary) -> list[Callable[[], Conclude]]:
    def of(module: str, kind: str, **how: Any) -> Callable[[], Conclude]:
        make = getattr(importlib.import_module(f"bench.{module}"), kind)
        return lambda: make(program, vocabulary, **how).conclude

    spellings: Mapping[str, Callable[[], list[Callable[[], Conclude]]]] = {
        FIRE: lambda: [lambda: _fire(program)],
        STOCK: lambda: [lambda: _stock(program)],
        CLIPS: lambda: [of("peer_clips", "ClipsInference", wide=wide) for wide in (True, False)],
        ZEN: lambda: [of("peer_zen", "ZenInference")],
        LOOP: lambda: [of("peer_loop", "Loop")],
        STRAIGHT: lambda: [of("peer_loop", "StraightLine")],
    }
    return spellings[name]()


def _fire(program: Program) -> Conclude:
    from psoas.readings.fire import Inference

    fire = Inference(program).fire
    return lambda memory: frozenset(symbol for firing in fire(memory) for symbol in firing.established)


def _stock(program: Program) -> Conclude:
    from bench.stock import StockInference

    fire = StockInference(program, wide=True).fire  # of its two spellings the quicker one (firing.py measures both)
    return lambda memory: fire(memory)[1]


def settled(memory: WorkingMemory) -> WorkingMemory:
    """Return `memory` with the state of every finding worked out, so that no engine is charged for it."""
    for finding in memory.vocabulary.items:
        memory[finding]
    return memory
