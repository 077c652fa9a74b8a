"""How many entries an interview needs, how long it thinks between two, and what its measure of "telling" is worth."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

from bench.measure import Ratio, interleaved, milliseconds, ratio
from bench.programs import CASES
from psoas.case import Case, make_case, read_case
from psoas.consultation import Consultant, Consultation
from psoas.interview import PLAN, Interview, Interviewer, replay, share
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas.memory import Standing, State, WorkingMemory
from random_cases import Writer

MEDIAN, MOST = 22, 45  # entries, the targets
WEIGHTS: Mapping[str, Callable[[int], float]] = {
    "1/n, as shipped": share,
    "2^-n (Jeroslow and Wang)": lambda n: 2.0**-n,
    "1: the number of open rules": lambda n: 1.0,
    "0: the fixed order of topics": lambda n: 0.0,
}


@dataclass(frozen=True)
class Held:
    """The interviews with one set of cases."""

    name: str
    entries: tuple[int, ...]
    stops: Mapping[str, int]
    agreeing: int  # cases in which the advice is that of the full case


@dataclass(frozen=True)
class Measured:
    """One measure of what a question is worth: means over the cases."""

    name: str
    entries: float
    findings: float
    decided: float  # entries until the disposition and the leading cause are settled


@dataclass(frozen=True)
class Thinking:
    """What one step of an interview takes, over the steps of some cases."""

    steps: int
    step: float  # ms
    of_consult: Ratio
    slowest: float  # ms


@dataclass(frozen=True)
class Questions:
    """All measurements of the interview."""

    held: tuple[Held, ...]
    measured: tuple[Measured, ...]
    cases: int  # on which the measures are compared
    thinking: Thinking


def measure(knowledge: Knowledge, worked: int | None, random: int, rounds: int) -> Questions:
    """Hold interviews with the shared cases, (up to) so many worked and so many random ones."""
    consultant = Consultant(knowledge)
    files = sorted(CASES.glob("*.yaml"))
    files = files if worked is None else files[:: max(1, len(files) // worked)]
    shared = [read_case(knowledge, path) for path in sorted(CASES.glob("V*.yaml"))][:worked]
    cases = [read_case(knowledge, path) for path in files]
    writer = Writer(consultant)
    written = [*writer.cases(random - random // 2, seed=1), *writer.near(random // 2, seed=2)]
    sets = {
        "shared cases": shared,
        "all worked cases": cases,
        "random cases, half of them near a red flag": [make_case(knowledge, answers) for answers in written],
    }
    with _workers(consultant, len(cases) + len(written)) as each:
        return Questions(
            tuple(_hold(each, name, chosen) for name, chosen in sets.items()),
            tuple(_compared(each, name, cases) for name in WEIGHTS),
            len(cases),
            _timed(consultant, shared, rounds),
        )


# Counting is no timing, and may be done on all processors at once

Work = Callable[[Consultant, str, Case], tuple[Any, ...]]
Each = Callable[[Work, str, Sequence[Case]], list[tuple[Any, ...]]]
FEW = 50  # cases for which no process is worth starting


@contextmanager
def _workers(consultant: Consultant, cases: int) -> Iterator[Each]:
    """Yield a function that does a piece of work for each of some cases, in order."""
    if cases < FEW:
        yield lambda work, name, chosen: [work(consultant, name, case) for case in chosen]
        return
    # a fresh process each, as a fork would copy whatever threads a library has left behind
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield lambda work, name, chosen: list(
            pool.map(_elsewhere, *zip(*((work, name, case) for case in chosen), strict=True), chunksize=8)
        )


def _elsewhere(work: Work, name: str, case: Case) -> tuple[Any, ...]:
    return work(_consultant(), name, case)


@cache
def _consultant() -> Consultant:
    return Consultant(load())


def _hold(each: Each, name: str, cases: Sequence[Case]) -> Held:
    entries, stops, agreeing = zip(*each(_held, name, cases), strict=True)
    return Held(name, entries, Counter(stops), sum(agreeing))


def _held(consultant: Consultant, name: str, case: Case) -> tuple[int, str, bool]:
    held = replay(Interviewer(consultant), case)
    return len(held.asked), held.stopped, _agree(consultant, case, held)


def _agree(consultant: Consultant, case: Case, held: Interview) -> bool:
    """Tell whether the interview came to the advice of the case with `unknown` wherever it is silent."""
    full = {name: case.answers.get(name, Standing.UNKNOWN) for name in consultant.knowledge.findings}
    one, other = (consultant.consult(Case(case.id, answers=answers)) for answers in (held.answers, full))
    return one.level == other.level if held.stopped == "emergency" else _advice(one) == _advice(other)


def _advice(it: Consultation) -> tuple[str, list[str], set[str]]:
    return it.level.id, [cause.id for cause in it.causes[:1]], {given.id for given in it.remedies}


def _steps(interviewer: Interviewer, case: Case) -> list[dict[str, State]]:
    """Return the answers known at each step of the interview with `case`, the last included."""
    known: list[dict[str, State]] = [{}]
    while sheet := interviewer.step(known[-1]).sheet:
        known.append({**known[-1], **{name: case.answers.get(name, Standing.UNKNOWN) for name in sheet.findings}})
    return known


def _compared(each: Each, name: str, cases: Sequence[Case]) -> Measured:
    return Measured(name, *map(statistics.mean, zip(*each(_walked, name, cases), strict=True)))


def _walked(consultant: Consultant, name: str, case: Case) -> tuple[int, int, int]:
    """Return entries, findings asked, and entries until all but remedies is decided, with the weight of that name."""
    interviewer = Interviewer(consultant, WEIGHTS[name])
    walk = _steps(interviewer, case)
    return len(walk) - 1, len(walk[-1]), next(n for n, known in enumerate(walk) if _is_decided(interviewer, known))


def _is_decided(interviewer: Interviewer, known: Mapping[str, State]) -> bool:
    """Tell whether nothing but remedies is at stake."""
    memory = WorkingMemory(interviewer.consultant.vocabulary, known)
    waits = interviewer._stakes(memory, only_safety=False).waits.values()
    return all(where.keys() <= {PLAN} and "lead" not in where.get(PLAN, {}) for where in waits)


def _timed(consultant: Consultant, cases: Sequence[Case], rounds: int) -> Thinking:
    interviewer = Interviewer(consultant)
    walks = [_steps(interviewer, case) for case in cases]
    known = [answers for walk in walks for answers in walk]
    times = interleaved(
        {
            "steps": lambda: [interviewer.step(answers) for answers in known],
            "consult": lambda: [consultant.consult(case) for case in cases],
        },
        rounds,
    )
    single = interleaved(
        {str(n): lambda answers=answers: interviewer.step(answers) for n, answers in enumerate(max(walks, key=len))},  # type: ignore[misc]
        rounds,
    )
    each_step = [seconds / len(known) for seconds in times["steps"]]
    each_case = [seconds / len(cases) for seconds in times["consult"]]
    slowest = max(milliseconds(taken) for taken in single.values())
    return Thinking(len(known), milliseconds(each_step), ratio(each_step, each_case), slowest)


# The picture

BAR, GAP, HEIGHT, LEFT, TOP = 13, 3, 90, 44, 30


def histogram(it: Questions) -> str:
    """Return the distribution of entries, a panel for each set of cases, as SVG."""
    columns = max(31, *(max(held.entries) + 1 for held in it.held))
    width, panel = LEFT + columns * (BAR + GAP) + 20, TOP + HEIGHT + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{panel * len(it.held)}" '
        f'font-family="sans-serif" font-size="11" fill="#333">',
        "<title>Entries of an interview, by set of cases</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, held in enumerate(it.held):
        parts += [f'<g transform="translate(0 {number * panel})">', *_panel(held, columns, width), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(held: Held, columns: int, width: int) -> list[str]:
    counts, foot = Counter(held.entries), TOP + HEIGHT
    most = max(counts.values())
    middle = LEFT + statistics.median(held.entries) * (BAR + GAP) + BAR / 2
    told = f"median {statistics.median(held.entries):g} entries, most {max(held.entries)}"
    title = f"{held.name} ({len(held.entries)}): {told}"
    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{title}</text>']
    for entries in range(columns):
        x, count = LEFT + entries * (BAR + GAP), counts[entries]
        if count:
            tall = max(1.0, HEIGHT * count / most)
            parts.append(
                f'<rect x="{x}" y="{foot - tall:.1f}" width="{BAR}" height="{tall:.1f}" fill="#4477aa">'
                f"<title>{entries} entries: {count}</title></rect>"
            )
        if entries % 5 == 0:
            parts.append(f'<text x="{x + BAR / 2}" y="{foot + 14}" text-anchor="middle">{entries}</text>')
    parts += [
        f'<path d="M{LEFT - 4} {foot}H{width - 16}" stroke="#333"/>',
        f'<path d="M{middle} {TOP}V{foot}" stroke="#aa3333" stroke-dasharray="4 3"/>',
        f'<text x="{LEFT - 8}" y="{TOP + 8}" text-anchor="end">{most}</text>',
        f'<text x="{LEFT - 8}" y="{foot}" text-anchor="end">0</text>',
    ]
    return parts
