"""What two versions of a knowledge base make of one table: how many rows change, from what to what, with examples."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psoas.cohort.duck import Duck
from psoas.cohort.engine import Result
from psoas.cohort.screening import cohort_of
from psoas.cohort.summary import most_frequent
from psoas.cohort.tables import Table
from psoas.knowledge.model import Knowledge

MOVING = ("causes", "remedies")
EXAMPLES = 3
"""So many rows are named of each change of disposition."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of disposition: how many rows have it, and the first of them. Rows count from 1."""

    before: str
    after: str
    rows: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What changes in a table: dispositions, and in how many rows each cause or remedy comes or goes."""

    rows: int
    changed: int  # rows in which anything does
    dispositions: tuple[Change, ...]
    come: Mapping[str, Mapping[str, int]]  # causes, remedies → name → rows
    gone: Mapping[str, Mapping[str, int]]


def drift(old: Knowledge, new: Knowledge, table: Table, *, memory: str = "1GB") -> Drift:
    """Return what changes in `table` between two versions. Raises `Unusable`, and `ImportError` without duckdb."""
    with Duck(memory=memory) as duck, tempfile.TemporaryDirectory(prefix="psoas-") as folder:
        before, after = (Result(Path(folder, f"{name}.parquet"), "parquet") for name in ("before", "after"))
        for result, knowledge in ((before, old), (after, new)):
            duck.screen(cohort_of(knowledge, duck, table, alone=True), result)
        moved = {what: duck.moved(before, after, what) for what in MOVING}
        changes = duck.changes(before, after, "disposition", EXAMPLES)
        return Drift(
            duck.rows_of(after),
            duck.differing(before, after, MOVING),
            tuple(Change(one, two, count, tuple(rows)) for one, two, count, rows in changes),
            {what: most_frequent(come) for what, (come, _) in moved.items()},
            {what: most_frequent(gone) for what, (_, gone) in moved.items()},
        )
