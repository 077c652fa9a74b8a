"""The one place that knows how `psoas screen` is called; everything else takes a callable, a Parquet file into another.

It is called as the command calls it with `--flags`: disposition and a column for every conclusion, values set aside
into a file, rows counted; the knowledge base is read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from psoas.knowledge.model import Knowledge

Screener = Callable[[Path, Path], object]
Outcome = tuple[str, frozenset[str]]  # disposition, conclusions


class NotThere(Exception):
    """`psoas screen` cannot be run here; the message says why."""


def screener(knowledge: Knowledge) -> Screener:
    """Return what screens the table in one Parquet file into another. Raises `NotThere`."""
    if find_spec("duckdb") is None:
        raise NotThere("duckdb is not installed")
    from psoas.cohort.duck import Duck
    from psoas.cohort.screening import cohort_of, screen_cohort
    from psoas.cohort.tables import find_table

    def screen(source: Path, out: Path) -> None:
        with Duck(ordered=False) as duck:
            cohort = cohort_of(knowledge, duck, find_table(str(source)), flags=True)
            screen_cohort(cohort, duck, out, out.with_suffix(".rejects.csv"))

    return screen


def outcome(knowledge: Knowledge, screened: Path, ids: Iterable[int]) -> Mapping[int, Outcome]:
    """Return id → what was concluded of that row, for the rows with these ids, from a file that was written."""
    import duckdb

    names = list(knowledge.conclusions)
    columns = ", ".join(f'"{name}"' for name in names)
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT id, disposition, {columns} FROM '{screened}' WHERE id IN ({', '.join(map(str, ids))})"
        ).fetchall()
    return {
        number: (level, frozenset(name for name, holds in zip(names, held, strict=True) if holds))
        for number, level, *held in rows
    }
