"""One case through `fire`, against the same productions on stock experta; and how a case grows with the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from bench.measure import Ratio, collector_off, growth, interleaved, milliseconds, ratio
from bench.programs import Subject, each, synthetic
from bench.stock import StockInference
from psoas.knowledge.program import Program
from psoas.memory import WorkingMemory
from psoas.readings.fire import Inference
from psoas.readings.foresee import established

FASTER = 3.0
GROWTH = 1.2


@dataclass(frozen=True)
class Fired:
    """One program: what building and a case cost, here and on stock experta."""

    name: str
    productions: int
    fired: float  # clauses a case fires, on average
    cases: int
    rounds: int
    build: float  # ms
    build_stock: float
    case: float  # ms
    case_stock: float  # a fact for each finding, as ours
    case_wide: float  # one fact for all findings
    faster: Ratio  # stock / ours
    faster_wide: Ratio
    agreeing: int  # cases on which all engines establish the same, of `cases`


@dataclass(frozen=True)
class Grown:
    """How a case of `fire` grows with the rules."""

    sizes: tuple[int, ...]
    cases: tuple[float, ...]  # ms
    builds: tuple[float, ...]  # ms
    exponent: float
    exponent_build: float


def compare(subject: Subject, cases: int, rounds: int) -> Fired:
    """Compare the engines on the first `cases` of `subject`; one pass over them is one measurement."""
    memories = subject.memories[:cases]
    cases = len(memories)
    ours, build = _built(lambda: Inference(subject.program))
    stock, build_stock = _built(lambda: StockInference(subject.program, wide=False))
    wide = StockInference(subject.program, wide=True)
    agreeing = sum(_agree(subject.program, memory, ours, (stock, wide)) for memory in memories)
    engines = {"ours": ours, "stock": stock, "wide": wide}
    times = interleaved({name: each(memories, engine.fire) for name, engine in engines.items()}, rounds)
    return Fired(
        name=subject.name,
        productions=len(ours.get_rules()),
        fired=sum(len(ours.fire(memory)) for memory in memories) / cases,
        cases=cases,
        rounds=rounds,
        build=build,
        build_stock=build_stock,
        case=milliseconds(times["ours"], cases),
        case_stock=milliseconds(times["stock"], cases),
        case_wide=milliseconds(times["wide"], cases),
        faster=ratio(times["stock"], times["ours"]),
        faster_wide=ratio(times["wide"], times["ours"]),
        agreeing=agreeing,
    )


def _built(make: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `make` returns and the ms that took."""
    with collector_off():
        start = perf_counter()
        made = make()
        return made, 1000 * (perf_counter() - start)


def _agree(program: Program, memory: WorkingMemory, ours: Inference, others: Sequence[StockInference]) -> bool:
    """Tell whether all engines, and the evaluation that knows nothing of experta, give the same."""
    firings = ours.fire(memory)
    here = frozenset(symbol for firing in firings for symbol in firing.established)
    rules = {firing.rule for firing in firings}
    if here != established(program, memory).established():
        return False
    return all((set(fired), there) == (rules, here) for fired, there in (other.fire(memory) for other in others))


def grow(sizes: Sequence[int], cases: int, rounds: int) -> Grown:
    """Measure our engine alone at all `sizes` in turn, so that a busy minute falls on every size alike."""
    subjects = [synthetic(size, cases) for size in sizes]
    engines = [Inference(subject.program) for subject in subjects]
    fired = interleaved(
        {s.name: each(s.memories, e.fire) for s, e in zip(subjects, engines, strict=True)},
        rounds,
    )
    built = interleaved({s.name: (lambda s=s: Inference(s.program)) for s in subjects}, rounds)
    case_times = tuple(milliseconds(fired[s.name], cases) for s in subjects)
    build_times = tuple(milliseconds(built[s.name]) for s in subjects)
    return Grown(tuple(sizes), case_times, build_times, growth(sizes, case_times), growth(sizes, build_times))
