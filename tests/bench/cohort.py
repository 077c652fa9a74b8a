"""A cohort: rows a second of `psoas screen` against engines that take a row at a time; and how all of them grow.

Every engine concludes the same from the same rows of one table. Two times are taken of those that go row by row: from
the states of a row at hand (the engine alone), and from the row as it stands in the table (typed, refused where it
must be, states worked out: what `screen` has to do as well).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench import tables
from bench.measure import Ratio, growth, interleaved, ratio
from bench.peers import CLIPS, FIRE, LOOP, STOCK, STRAIGHT, ZEN, Conclude, Engine, engines, missing, settled
from bench.programs import knowledge_of, synthetic
from bench.screened import NotThere, Screener, outcome, screener
from psoas.consultation import Consultant
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import compile_program
from psoas.memory import Vocabulary, WorkingMemory
from psoas.readings.foresee import established
from psoas.triage import Screen

SCREEN = "`screen`"
OVER_FIRE, OVER_CLIPS = 1000.0, 100.0
GROWING = (FIRE, CLIPS, ZEN, LOOP, STRAIGHT)
Find = Callable[[Knowledge], Screener]


@dataclass(frozen=True)
class Size:
    """How much to measure."""

    rows: tuple[int, ...]  # growth over rows
    against: int  # rows of the table on which `screen` meets the others
    sample: int  # of them, the rows the others do in one pass
    stock: int  # as above, stock experta
    checked: int  # of them, the rows on which all are compared before
    rounds: int
    rules: tuple[int, ...]  # growth over made-up rules
    rule_rows: tuple[int, int]  # rows at each of them: `screen`, the others
    bank: int


@dataclass(frozen=True)
class Entrant:
    """One engine on one table."""

    name: str
    ready: float  # rows a second from states at hand
    whole: float  # rows a second from the table
    behind: Ratio | None  # rows a second of `screen` / of this, states at hand
    behind_whole: Ratio | None
    agreeing: int
    checked: int


@dataclass(frozen=True)
class Grown:
    """What a row costs, by the number of rows or rules."""

    name: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]  # over rows: of the whole table; over rules: of one row
    exponent: float
    agreeing: int = 0  # over rules: on how many of the rows looked at, at all sizes together
    checked: int = 0


@dataclass(frozen=True)
class Cohort:
    """All measurements of cohorts."""

    size: Size
    absent: str  # why `screen` was not measured; empty where it was
    screen: float | None  # rows a second at `size.against`
    agreeing: int  # rows of which `screen` says the same as the readings, of `size.checked`
    entrants: tuple[Entrant, ...]
    reading: float  # rows a second of reading a row alone
    missing: Mapping[str, str]
    rows: Grown | None
    rules: tuple[Grown, ...]

    def of(self, name: str) -> Entrant | None:
        """Return the entrant of that name, if it ran."""
        return next((entrant for entrant in self.entrants if entrant.name == name), None)


def measure(consultant: Consultant, size: Size, find: Find = screener) -> Cohort:
    """Measure; `find` returns what screens a table, for a knowledge base, or raises `NotThere`."""
    try:
        screen, absent = find(consultant.knowledge), ""
    except NotThere as reason:
        screen, absent = None, str(reason)
    base, bank = _Base(consultant.knowledge), tables.likely(consultant, size.bank, seed=1)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        table, out = Path(folder, "table.parquet"), Path(folder, "out.parquet")
        tables.write(consultant.knowledge, bank, size.against, table)
        rows = tables.read(consultant.knowledge, table, size.checked)
        cases = {number: base.memory(row) for number, row in rows.items()}
        found = engines(base.program, base.vocabulary, list(cases.values()), slow=size.stock)
        agreeing = _agreeing(base, screen, table, out, cases) if screen else 0
        times, per = _race(base, found, list(rows.values())[: size.sample], size, screen, table, out)
        by_row = {name: [seconds / per[name] for seconds in each] for name, each in times.items()}
        grown = _over_rows(consultant.knowledge, bank, size, screen, Path(folder)) if screen else None
    return Cohort(
        size,
        absent,
        1 / median(by_row[SCREEN]) if screen else None,
        agreeing,
        tuple(_entrant(engine, by_row) for engine in found),
        1 / median(by_row[READING]),
        missing(),
        grown,
        tuple(_over_rules(size, find)),
    )


READING = "reading a row"


class _Base:
    """A knowledge base, and what is made of it once. (A `Consultant` makes far more than is needed here.)"""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.program = compile_program(knowledge)
        self.vocabulary = Vocabulary(knowledge)
        self.triage = Screen(knowledge, self.program)

    def memory(self, row: tables.Written) -> WorkingMemory:
        return tables.memory_of(self.knowledge, self.vocabulary, row)


def _race(
    base: _Base,
    found: Sequence[Engine],
    rows: Sequence[tables.Written],
    size: Size,
    screen: Screener | None,
    table: Path,
    out: Path,
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return name → seconds of each pass, and name → rows of a pass; a name with ` whole` begins at the table."""
    ready = [settled(base.memory(row)) for row in rows]
    tasks: dict[str, Callable[[], object]] = {READING: lambda: [settled(base.memory(row)) for row in rows]}
    per = {READING: len(rows)}
    if screen:
        tasks[SCREEN], per[SCREEN] = lambda: screen(table, out), size.against
    for engine in found:
        count = min(size.stock, len(rows)) if engine.name == STOCK else len(rows)
        tasks[engine.name] = _pass(engine.conclude, ready[:count])
        tasks[f"{engine.name} whole"] = _whole_pass(base, engine.conclude, rows[:count])
        per[engine.name] = per[f"{engine.name} whole"] = count
    return interleaved(tasks, size.rounds), per


def _pass(conclude: Conclude, memories: Sequence[WorkingMemory]) -> Callable[[], object]:
    return lambda: [conclude(memory) for memory in memories]


def _whole_pass(base: _Base, conclude: Conclude, rows: Sequence[tables.Written]) -> Callable[[], object]:
    return lambda: [conclude(base.memory(row)) for row in rows]


def _entrant(engine: Engine, by_row: Mapping[str, Sequence[float]]) -> Entrant:
    ready, whole, ours = by_row[engine.name], by_row[f"{engine.name} whole"], by_row.get(SCREEN)
    return Entrant(
        engine.name,
        1 / median(ready),
        1 / median(whole),
        ratio(ready, ours) if ours else None,
        ratio(whole, ours) if ours else None,
        engine.agreeing,
        engine.checked,
    )


def _agreeing(base: _Base, screen: Screener, table: Path, out: Path, cases: Mapping[int, WorkingMemory]) -> int:
    """Return of how many `cases` (by id) the table that is written says what triage and `foresee` say."""
    screen(table, out)
    said = outcome(base.knowledge, out, cases)
    conclusions = base.knowledge.conclusions.keys()

    def right(case: WorkingMemory) -> tuple[str, frozenset[str]]:
        return base.triage.judge(case).level, established(base.program, case).established() & conclusions

    return sum(said.get(number) == right(case) for number, case in cases.items())


def _over_rows(
    knowledge: Knowledge, bank: Sequence[tables.Written], size: Size, screen: Screener, folder: Path
) -> Grown:
    """Time `screen` on tables of all sizes; the largest once, the others as often as there are rounds."""
    seconds = []
    for rows in size.rows:
        table, out = folder / "growing.parquet", folder / "grown.parquet"
        tables.write(knowledge, bank, rows, table)
        rounds = 1 if rows == max(size.rows) else size.rounds
        seconds.append(median(_seconds(lambda table=table, out=out: screen(table, out)) for _ in range(rounds)))  # type: ignore[misc]
    return Grown(SCREEN, size.rows, tuple(seconds), growth(size.rows, seconds))


def _seconds(task: Callable[[], object]) -> float:
    start = perf_counter()
    task()
    return perf_counter() - start


def _over_rules(size: Size, find: Find) -> Iterator[Grown]:
    """Yield how a row grows with the rules: `screen` on a table, the others on a few rows of it, states at hand."""
    taken: dict[str, list[tuple[float, int]]] = {}
    for rules in size.rules:
        for name, row in _at(rules, size, find).items():
            taken.setdefault(name, []).append(row)
    for name, each in taken.items():
        seconds = tuple(row for row, _ in each)
        if len(seconds) == len(size.rules):
            agreeing, checked = sum(agreeing for _, agreeing in each), size.rule_rows[1] * len(each)
            yield Grown(name, size.rules, seconds, growth(size.rules, seconds), agreeing, checked)


def _at(rules: int, size: Size, find: Find) -> dict[str, tuple[float, int]]:
    """Return name → seconds a row at so many rules, and on how many of the sampled rows it agrees."""
    many, few = size.rule_rows
    knowledge, subject = knowledge_of(synthetic(rules, few))
    base = _Base(knowledge)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        table, out = Path(folder, "table.parquet"), Path(folder, "out.parquet")
        tables.write(knowledge, tables.retold(subject.memories), many, table)
        cases = {n: settled(base.memory(row)) for n, row in tables.read(knowledge, table, few).items()}
        found = engines(base.program, base.vocabulary, list(cases.values()), GROWING)
        tasks: dict[str, Callable[[], object]] = {e.name: _pass(e.conclude, list(cases.values())) for e in found}
        agreeing, per = {engine.name: engine.agreeing for engine in found}, dict.fromkeys(tasks, few)
        with suppress(NotThere):
            screen = find(knowledge)
            tasks[SCREEN], per[SCREEN] = lambda: screen(table, out), many
            agreeing[SCREEN] = _agreeing(base, screen, table, out, cases)
        times = interleaved(tasks, size.rounds)
    return {name: (median(seconds) / per[name], agreeing[name]) for name, seconds in times.items()}
