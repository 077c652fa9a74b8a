"""The one place that knows how `psoas screen` is called; everything else takes a callable, a Parquet file into another.

To be wired to `psoas.cohort` once it is there: `screener` and `outcome` are all that is missing.
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
    _needed()
    from psoas.cohort import Cohort  # type: ignore[import-not-found]

    return Cohort(knowledge).screen


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


def _needed() -> None:
    for module, what in (("duckdb", "duckdb is not installed"), ("psoas.cohort", "this version has no `psoas screen`")):
        if find_spec(module) is None:
            raise NotThere(what)
