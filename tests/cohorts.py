"""Cases as tables, and what the other readings make of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psoas.case import make_case
from psoas.cohort.duck import Duck
from psoas.cohort.engine import Engine
from psoas.cohort.screening import cohort_of, screen_cohort
from psoas.cohort.summary import Summary
from psoas.cohort.tables import find_table
from psoas.knowledge.conditions import Kleene
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Program, compile_program, withheld
from psoas.memory import Vocabulary, WorkingMemory
from psoas.readings.fire import Inference
from psoas.readings.foresee import Evaluation
from psoas.triage import Screen
from random_cases import Written


def cell(said: str | Sequence[str] | None) -> str:
    """Return what somebody typed as a cell of a CSV."""
    return "" if said is None else said if isinstance(said, str) else "|".join(said)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    """Write a CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def table_of(path: Path, knowledge: Knowledge, cases: Sequence[Written]) -> Path:
    """Write `cases` as a CSV with a column for every finding, from z to a, and `number`, the number of the case."""
    findings = sorted(knowledge.findings, reverse=True)
    rows = [[str(number), *(cell(case.get(name)) for name in findings)] for number, case in enumerate(cases)]
    return write_table(path, ["number", *findings], rows)


SEVERAL = ("any of", "list of numbers")
FORMS = ("csv", "parquet", "lists")
"""How a table may hold the same cells: as texts, as texts in dictionaries, and several values as lists as well."""


def in_form(form: str, table: Path, knowledge: Knowledge) -> Path:
    """Return the CSV `table` in one of `FORMS`."""
    if form == "csv":
        return table
    import duckdb

    out = table.with_suffix(".parquet")
    several = [f.id for f in knowledge.findings.values() if f.type in SEVERAL]
    split = [f'string_split("{name}", \'|\') AS "{name}"' for name in several if form == "lists"]
    chosen = f"* REPLACE ({', '.join(split)})" if split else "*"
    with duckdb.connect() as db:
        source = f"read_csv('{table}', header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
        db.execute(f"COPY (SELECT {chosen} FROM {source}) TO '{out}' (DICTIONARY_SIZE_LIMIT 100000)")
    return out


@dataclass
class Screened:
    """What came of a table."""

    rows: list[dict[str, Any]]
    rejects: list[dict[str, str]]
    summary: Summary


def screened(
    knowledge: Knowledge,
    source: Path | str,
    folder: Path,
    *,
    engine: Engine | None = None,
    form: str = "csv",
    **more: Any,
) -> Screened:
    """Screen a table and read what came out, lists as lists."""
    with Duck(threads=1) as duck:
        it = engine or duck
        table = find_table(str(source))
        out, aside = folder / f"result.{form}", folder / "result.rejects.csv"
        summary = screen_cohort(cohort_of(knowledge, it, table, **more), it, out, aside)
        return Screened(read_result(out), read_csv(aside), summary)


LISTS = ("triage_rules", "causes", "certainties", "remedies", "withheld", "rejected", "conclusions")


def read_result(out: Path) -> list[dict[str, Any]]:
    """Return the rows of a result, its lists as lists."""
    if out.suffix == ".parquet":
        import duckdb

        with duckdb.connect() as db:
            source = f"{out}/*.parquet" if out.is_dir() else str(out)
            found = db.execute(f"SELECT * FROM read_parquet('{source}')")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    parts = sorted(out.glob("*.csv")) if out.is_dir() else [out]
    rows = [row for part in parts for row in read_csv(part)]
    return [{n: (v.split("|") if v else []) if n in LISTS else v for n, v in row.items()} for row in rows]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class AtLevel(Evaluation):
    """What a case establishes, its level included, on which remedies may depend."""

    def __init__(self, program: Program, memory: WorkingMemory, level: str) -> None:
        self._level = level
        super().__init__(program, memory, foreseen=False)

    def __getitem__(self, symbol: str) -> Kleene:
        return symbol == self._level or super().__getitem__(symbol)


class Expected:
    """What `fire`, `foresee` and triage make of a case, in the words of a result."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.program = compile_program(knowledge)
        self.vocabulary = Vocabulary(knowledge)
        self.screen = Screen(knowledge, self.program)
        self.inference = Inference(self.program)

    def of(self, written: Written, *, fired: bool = True) -> Mapping[str, Any]:
        """Return the expected row; what is established by `fire`, which must agree with `foresee`, or by that alone."""
        knowledge = self.knowledge
        case = make_case(knowledge, written)
        memory = WorkingMemory(self.vocabulary, case.answers)
        triage = self.screen.judge(memory)
        now = AtLevel(self.program, memory, triage.level).established()
        holding = now
        if fired:
            firings = self.inference.fire(memory, [triage.level])
            holding = frozenset(symbol for firing in firings for symbol in firing.established)
            assert holding == now
        allowed = {tier.id for tier in knowledge.manifest.tiers if tier.restricted}
        restricted = knowledge.level(triage.level).plan == "restricted" or not triage.settled
        indicated = [r for r in knowledge.remedies.values() if r.id in holding]
        given = [r.id for r in indicated if withheld(r.id) not in holding and (not restricted or r.tier in allowed)]
        return {
            "disposition": triage.level,
            "triage_rules": list(triage.fired),
            "remedies": given,
            "withheld": [r.id for r in indicated if r.id not in given],
            "rejected": sorted({item.finding for item in case.rejected}),
            "conclusions": [name for name in knowledge.conclusions if name in holding],
        }

    def rejects(self, number: int, written: Written) -> list[tuple[str, str, str]]:
        """Return the expected rejects of row `number`: row, column, reason."""
        return [(str(number), item.finding, item.reason) for item in make_case(self.knowledge, written).rejected]
