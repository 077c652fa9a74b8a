"""A table screened by a knowledge base: the result and the values set aside as files, and a summary of both."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from psoas.cohort.rejects import Cell, Reasons, Reject
from psoas.cohort.summary import Summary, most_frequent, ordered
from psoas.cohort.tables import Column, Form, Match, Table, matched
from psoas.faults import Fault, Place, Unusable
from psoas.knowledge.model import Knowledge
from psoas.readings.screen.cells import CellForm
from psoas.readings.screen.text import outputs_of, rejects_text, screen_text

FORMS: dict[str, Form] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
"""Suffix of a result → its form."""


class Engine(Protocol):
    """What runs the SQL text over tables."""

    name: str
    numbered: bool  # rows come out with their numbers, and in any order

    def columns(self, table: Table) -> list[Column]:
        """Return the columns of a table."""

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""

    def place(self, out: Path) -> AbstractContextManager[Path]:
        """Yield where to write a result that takes the place of `out` if nothing goes wrong."""

    def screen(self, table: Table, match: Match, knows: Sequence[str], text: str, out: Path, form: Form) -> None:
        """Write what the text yields for a table."""

    def rows_of(self, out: Path, form: Form) -> int:
        """Return how many rows a result has."""

    def tally(self, out: Path, form: Form, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value stands in a column of a result."""

    def flagged(self, out: Path, form: Form, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of a result each of `columns`, yes or no, is yes."""

    def rejects(
        self,
        table: Table,
        match: Match,
        knows: Sequence[str],
        text: Callable[[Mapping[str, CellForm]], str],
        contradicted: Sequence[str],
        done: Path,
        form: Form,
    ) -> Iterator[tuple[int, str, Cell, list[str]]]:
        """Yield each refused cell: its row, finding and content, and the contradictions that hold in the row.

        `text` gives the text for the forms in which cells are read, `contradicted` are the findings contradictions
        refuse, and `done` is the result, which says what is rejected.
        """


def form_of(out: Path) -> Form:
    """Return the form of a result by its name. Raises `Unusable`."""
    form = FORMS.get(out.suffix.lower())
    if form is None:
        raise Unusable(
            [Fault(Place(str(out)), "is neither a CSV nor a Parquet file", "its name ends in .csv or .parquet")]
        )
    return form


def match_table(
    knowledge: Knowledge, engine: Engine, table: Table, *, conclusions: bool = False, flags: bool = False
) -> Match:
    """Return how a table fits a knowledge base. Raises `Unusable`."""
    names = [output.name for output in outputs_of(knowledge, conclusions=conclusions, flags=flags)]
    names += ["row"] if engine.numbered else []
    found = matched(knowledge, engine.columns(table), names, str(table.files[0]))
    return replace(found, brief=flags, numbered=engine.numbered)


def screen_table(
    knowledge: Knowledge,
    engine: Engine,
    table: Table,
    match: Match,
    out: Path,
    set_aside: Path,
    *,
    conclusions: bool = False,
    flags: bool = False,
    told: Callable[[str], None] = lambda what: None,
) -> Summary:
    """Screen `table`: write the result to `out`, the values set aside to `set_aside`, and return a summary.

    Neither file is touched if anything goes wrong, an interrupt included. `told` is called with what comes next.
    """
    began, form = time.monotonic(), form_of(out)
    knows = tuple(knowledge.findings)
    text = screen_text(
        knowledge, match.passed_on, forms=match.forms, lists=form == "parquet", conclusions=conclusions, flags=flags
    )
    with engine.place(out) as part, _rejects_file(set_aside) as rejects_part:
        told("counting rows")
        rows_in = engine.count(table)
        told("screening")
        engine.screen(table, match, knows, text, part, form)
        told("counting what came of it")
        rows_out = engine.rows_of(part, form)
        summary = Summary(
            rows_in,
            rows_out,
            ordered(knowledge, engine.tally(part, form, "disposition", several=False)),
            most_frequent(_causes(knowledge, engine, part, form, flags=flags)),
            most_frequent(engine.tally(part, form, "rejected", several=True)),
            match.unanswered,
            match.close,
            time.monotonic() - began,
        )
        if not summary.whole:
            message = f"{rows_in} rows went in and {rows_out} came out; nothing was written"
            raise Unusable([Fault(Place(str(out)), message, "please report this: it must not happen")])
        told("setting values aside")
        rejects = rejected_cells(knowledge, engine, table, match, part, form) if summary.rejected else iter(())
        _write_rejects(rejects_part, rejects)
    return summary


def _causes(knowledge: Knowledge, engine: Engine, part: Path, form: Form, *, flags: bool) -> dict[str, int]:
    if not flags:
        return engine.tally(part, form, "causes", several=True)
    kinds = {kind.id for kind in knowledge.manifest.kinds if kind.heading}
    causes = [c.id for c in knowledge.conclusions.values() if c.kind in kinds]
    counts = engine.flagged(part, form, causes) if causes else {}
    return {cause: count for cause, count in counts.items() if count}


def rejected_cells(
    knowledge: Knowledge, engine: Engine, table: Table, match: Match, done: Path, form: Form
) -> Iterator[Reject]:
    """Yield the values set aside, row by row, with the reasons; `done` is the result."""
    reasons, rules = Reasons(knowledge), knowledge.contradictions
    contradicted = list(dict.fromkeys(name for rule in rules.values() for name in rule.refuse))
    text = partial(rejects_text, knowledge, ("row", *match.carried))
    for row, name, cell, holding in engine.rejects(
        table, match, tuple(knowledge.findings), text, contradicted, done, form
    ):
        yield from reasons.of(row, name, cell, [rules[id] for id in holding])


def _rejects_file(path: Path) -> AbstractContextManager[Path]:
    from psoas.disk import replacing

    return replacing(path)


def _write_rejects(path: Path, rejects: Iterator[Reject]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(Reject._fields)
        writer.writerows(rejects)
