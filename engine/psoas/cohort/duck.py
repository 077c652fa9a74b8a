"""DuckDB, embedded: reads tables, runs the SQL text, writes what comes of it. The only module that imports duckdb."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from psoas.cohort import duck_sql as sql
from psoas.cohort.rejects import Cell
from psoas.cohort.tables import Column, Form, Match, Table
from psoas.disk import replacing
from psoas.faults import Fault, Place, Unusable
from psoas.readings.screen.cells import CellForm
from psoas.readings.screen.dialects import DUCKDB

T = TypeVar("T")

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
POLL = 0.1
GROUP = 20_480
"""Rows a group of a Parquet file: whole groups are held until they are written, by each thread."""
SLOW_ON_WIDE_PLANS = ("projection_placement", "common_subexpressions")
"""Optimizers that take long on hundreds of columns and gain nothing here. Not every version has both."""


class Duck:
    """A DuckDB of its own, without a file. Use it in a `with`."""

    name = "duckdb"

    def __init__(
        self,
        *,
        memory: str = "1GB",
        threads: int | None = None,
        ordered: bool = True,
        told: Callable[[float], None] | None = None,
    ) -> None:
        """Hold up to `memory`, and then use the disk. Rows come out as they went in, or, not `ordered`, with numbers.

        `told` is called now and then with the percentage done. Raises `ImportError` without duckdb.
        """
        import duckdb

        self._duckdb = duckdb
        self.told = told
        self.numbered = not ordered
        self._db = duckdb.connect()
        self._setting("memory_limit", memory)
        self._spill = tempfile.TemporaryDirectory(prefix="psoas-")
        self._setting("temp_directory", self._spill.name)
        self._setting("preserve_insertion_order", str(ordered))
        self._setting("enable_progress_bar", "true")
        self._setting("enable_progress_bar_print", "false")
        known = {name for (name,) in self._db.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
        self._setting("disabled_optimizers", ",".join(name for name in SLOW_ON_WIDE_PLANS if name in known))
        if threads:
            self._setting("threads", str(threads))
        for macro in DUCKDB:
            self._db.execute(macro)

    def _setting(self, name: str, value: str) -> None:
        try:
            self._db.execute(f"SET {name} = {sql.text(value)}")
        except self._duckdb.Error as error:
            raise Unusable([Fault(Place(name), str(error).splitlines()[0])]) from error

    def __enter__(self) -> Duck:
        return self

    def __exit__(self, *error: object) -> None:
        self._db.close()
        self._spill.cleanup()

    # tables in

    def columns(self, table: Table) -> list[Column]:
        """Return the columns of `table`. Raises `Unusable` where it is none."""
        if table.form == "csv":
            if self.numbered:
                hint = "leave out --any-order, or make it a Parquet file"
                raise Unusable([Fault(Place(str(table.files[0])), "has no numbers of rows but their places", hint)])
            return [Column(name, "text") for name in table.header]
        rows = self._fetch(f"DESCRIBE SELECT * FROM {sql.source(table)}", table)
        encoded = {str(name) for (name,) in self._fetch(sql.dictionaries(table), table)}
        kinds = [(str(name), _kind(str(kind)), str(kind) == "VARCHAR" and name in encoded) for name, kind, *_ in rows]
        return [Column(name, "entry" if entry else kind) for name, kind, entry in kinds]

    def count(self, table: Table) -> int:
        """Return how many rows `table` has."""
        return int(self._fetch(f"SELECT count(*) FROM {sql.source(table)}", table)[0][0])

    def _row(self, table: Table) -> str:
        """Return the number of a row of `table`."""
        if table.form == "csv":
            return sql.row_number(table, ())
        files = self._fetch(f"SELECT file_name, num_rows FROM parquet_file_metadata({sql.files(table)})", table)
        rows = {str(name): int(count) for name, count in files}
        return sql.row_number(table, [rows[str(file)] for file in table.files])

    # what comes of them

    def place(self, out: Path) -> AbstractContextManager[Path]:
        """Yield a file beside `out` that takes its place if nothing goes wrong."""
        return replacing(out)

    def screen(
        self, table: Table, match: Match, knows: Sequence[str], text: str, out: Path, form: Form, *, carry: bool = True
    ) -> None:
        """Write what `text` yields for `table` to the file `out`, with the table's names of the columns it carries."""
        answers = sql.answers(table, match, knows, self._row(table) if match.numbered else "")
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {answers}", table)
        names = {as_: column.name for as_, column in match.kept.items()} if carry else {}
        renamed = ", ".join(f"{sql.name(as_)} AS {sql.name(name)}" for as_, name in names.items())
        carried = ", ".join(map(sql.name, names))
        how = "FORMAT csv, HEADER true" if form == "csv" else f"FORMAT parquet, ROW_GROUP_SIZE {GROUP}"
        chosen = f"{renamed}, COLUMNS(* EXCLUDE ({carried}))" if names else "*"
        self._run(f"COPY (SELECT {chosen} FROM ({text})) TO {sql.text(str(out))} ({how}, USE_TMP_FILE false)", table)

    def rows_of(self, out: Path, form: Form) -> int:
        """Return how many rows the result in `out` has."""
        return int(self._fetch(f"SELECT count(*) FROM {sql.result(out, form)}")[0][0])

    def tally(self, out: Path, form: Form, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value, or each part of a list, stands in a column of the result in `out`."""
        said = sql.name(column)
        if several:
            said = f"unnest({said})" if form == "parquet" else f"unnest(as_list(coalesce({said}, '')))"
        query = f"SELECT said, count(*) FROM (SELECT {said} AS said FROM {sql.result(out, form)}) GROUP BY said"
        return {str(value): int(count) for value, count in self._fetch(query)}

    def flagged(self, out: Path, form: Form, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of the result in `out` each of `columns`, yes or no, is yes."""
        sums = ", ".join(f"count(*) FILTER (CAST({sql.name(name)} AS BOOLEAN))" for name in columns)
        return dict(zip(columns, map(int, self._fetch(f"SELECT {sums} FROM {sql.result(out, form)}")[0]), strict=True))

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
        """Yield each refused cell: its row, finding and content, and the contradictions that hold in the row."""

        row, found = self._row(table), sql.rows_set_aside(done, form, numbered=match.numbered)
        self._run(f"CREATE OR REPLACE TEMP TABLE set_aside AS {found}")
        self._run(f"CREATE OR REPLACE TEMP TABLE suspect AS {sql.having('set_aside', contradicted)}")
        answers = sql.answers(table, match, knows, row, among="suspect")
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {answers}", table)
        forms = {name: form for name, form in match.forms.items() if form != "entry"}  # a join takes entries apart
        self._run(f"CREATE OR REPLACE TEMP TABLE contradictory AS {sql.contradictory(text(forms))}", table)
        result = self._run(sql.refused_cells(table, match, row), table)
        while batch := self._watched(lambda: result.fetchmany(10_000), table):
            for row, name, cell, parts, holding in batch:
                yield row, name, cell if parts is None else parts, holding.split("|") if holding else []

    # two results

    def changes(self, old: Path, new: Path, column: str, examples: int) -> list[tuple[str, str, int, list[int]]]:
        """Return each change of `column` between two results: from, to, how many rows, the first of them from 1 on."""
        query = (
            f"SELECT a.{column}, b.{column}, count(*), min(place + 1, {examples}) "
            f"FROM {sql.paired(old, new)} WHERE a.{column} <> b.{column} GROUP BY ALL ORDER BY ALL"
        )
        return [(str(a), str(b), int(n), sorted(map(int, rows))) for a, b, n, rows in self._fetch(query)]

    def moved(self, old: Path, new: Path, column: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return in how many rows each part of the list `column` comes between two results, and goes."""

        def only(one: str, other: str) -> dict[str, int]:
            left = f"list_filter({one}.{column}, lambda w: NOT list_contains({other}.{column}, w))"
            query = f"SELECT w, count(*) FROM (SELECT unnest({left}) AS w FROM {sql.paired(old, new)}) GROUP BY w"
            return {str(word): int(count) for word, count in self._fetch(query)}

        return only("b", "a"), only("a", "b")

    def differing(self, old: Path, new: Path, columns: Sequence[str]) -> int:
        """Return in how many rows any of `columns`, the order of lists apart, differs between two results."""
        other = " OR ".join(f"list_sort(a.{name}) <> list_sort(b.{name})" for name in columns)
        differs = f"a.disposition <> b.disposition OR {other}"
        return int(self._fetch(f"SELECT count(*) FROM {sql.paired(old, new)} WHERE {differs}")[0][0])

    # asking DuckDB

    def _fetch(self, query: str, table: Table | None = None) -> list[tuple[Any, ...]]:
        return list(self._run(query, table).fetchall())

    def _run(self, query: str, table: Table | None = None) -> Any:
        return self._watched(lambda: self._db.execute(query), table)

    def _watched(self, work: Callable[[], T], table: Table | None = None) -> T:
        """Return what `work` returns, done in a thread of its own: so it can be watched, and interrupted."""
        done: list[T] = []
        failed: list[BaseException] = []
        over = threading.Event()  # an interrupted join would take the thread for ended

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:  # raised again where it is waited for
                failed.append(error)
            over.set()

        threading.Thread(target=run, daemon=True).start()
        try:
            while not over.wait(POLL):
                if self.told:
                    self.told(max(0.0, float(self._db.query_progress())))
        except BaseException:
            self._db.interrupt()
            over.wait()
            raise
        if failed and isinstance(failed[0], self._duckdb.Error):
            raise self._unusable(failed[0], table) from failed[0]
        if failed:
            raise failed[0]
        return done[0]

    def _unusable(self, error: Exception, table: Table | None) -> Unusable:
        """Return an error of DuckDB as a fault of the table, at the line it names."""
        said = str(error)
        file = re.search(r"^\s*file = (.+)$", said, re.MULTILINE)
        line = re.search(r"CSV Error on Line: (\d+)", said)
        named = file[1] if file else str(table.files[0]) if table else self.name
        at = Place(named, int(line[1]), 1) if line else Place(named)
        if "utf-8" in said:
            return Unusable([Fault(at, "is not UTF-8", "save it as CSV UTF-8")])
        fields = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
        if line and fields:
            hint = "a cell with the delimiter, a quote or a line break in it stands in double quotes"
            message = f"has {fields[2]} cells where the header names {fields[1]} columns"
            return Unusable([Fault(at, message, hint)])
        return Unusable([Fault(at, said.strip().splitlines()[0].removeprefix("Invalid Input Error: "))])


def _kind(kind: str) -> Any:
    if kind.endswith("[]"):
        return "list"
    base = kind.partition("(")[0]
    return "number" if base in NUMBERS else "text" if base in ("VARCHAR", "ENUM", "BOOLEAN") else "other"
