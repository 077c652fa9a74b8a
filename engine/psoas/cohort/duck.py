"""DuckDB, embedded: reads tables, runs the SQL text, writes what comes of it. The only module that imports duckdb."""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from psoas.cohort import duck_sql as sql
from psoas.cohort.engine import Cohort, Result
from psoas.cohort.rejects import Reasons
from psoas.cohort.tables import Column, Table
from psoas.disk import replacing
from psoas.faults import Fault, Place, Unusable
from psoas.readings.screen.dialects import DUCKDB
from psoas.readings.screen.text import rejects_text

T = TypeVar("T")

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
POLL = 0.1
ROOM = 16_000_000
"""Bytes a thread takes up for each column of a result in order: DuckDB sets 4 MB aside, of a quarter of its memory."""
BATCH = 10_000
"""Refused cells whose reasons are looked for at a time."""
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

        Without `threads`, as many work as there are cores; on a result in order, as there is room for in `memory`.
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
        self._threads = threads
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

    def screen(self, cohort: Cohort, result: Result) -> None:
        """Write the result of `cohort`, with the table's own names of the columns that come out."""
        table, match = cohort.table, cohort.match
        answers = sql.answers(cohort, self._row(table) if match.numbered else "")
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {answers}", table)
        renamed = ", ".join(f"{sql.name(as_)} AS {sql.name(column.name)}" for as_, column in match.kept.items())
        chosen = f"{renamed}, COLUMNS(* EXCLUDE ({', '.join(map(sql.name, match.kept))}))" if renamed else "*"
        text = cohort.text(lists=result.form == "parquet")
        with self._so_many_threads(cohort.width):
            self._run(f"COPY (SELECT {chosen} FROM ({text})) TO {sql.target(result)}", table)

    @contextlib.contextmanager
    def _so_many_threads(self, columns: int) -> Iterator[None]:
        """Let only as many threads work as there is room for, where a result of so many `columns` is in order.

        With more they hold each other up, and what they hold is put on the disk, or is too much.
        """
        if self.numbered or self._threads:
            yield
            return
        asked = "SELECT parse_formatted_bytes(current_setting('memory_limit')), current_setting('threads')"
        memory, cores = self._fetch(asked)[0]
        self._setting("threads", str(max(1, min(int(cores), int(memory) // (ROOM * columns)))))
        try:
            yield
        finally:
            self._setting("threads", str(cores))

    def rows_of(self, result: Result) -> int:
        """Return how many rows `result` has."""
        return int(self._fetch(f"SELECT count(*) FROM {sql.result(result)}")[0][0])

    def tally(self, result: Result, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value, or each part of a list, stands in a column of `result`."""
        said = sql.name(column)
        if several:
            said = f"unnest({said})" if result.form == "parquet" else f"unnest(as_list(coalesce({said}, '')))"
        query = f"SELECT said, count(*) FROM (SELECT {said} AS said FROM {sql.result(result)}) GROUP BY said"
        return {str(value): int(count) for value, count in self._fetch(query)}

    def flagged(self, result: Result, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of `result` each of `columns`, yes or no, is yes."""
        sums = ", ".join(f"count_if(CAST({sql.name(name)} AS BOOLEAN))" for name in columns)
        return dict(zip(columns, map(int, self._fetch(f"SELECT {sums} FROM {sql.result(result)}")[0]), strict=True))

    def set_aside(self, cohort: Cohort, result: Result, reasons: Reasons, out: Path) -> None:
        """Write the cells that `result` says were rejected to the CSV `out`, row by row, each with its reason.

        The table is read again in those rows alone, and a reason is looked for once for all cells that are alike.
        """
        table, row = cohort.table, self._row(cohort.table)
        self._keep("set_aside", sql.rows_set_aside(result, numbered=cohort.match.numbered))
        self._keep("suspect", sql.having("set_aside", cohort.knowledge.refusable))
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {sql.answers(cohort, row, among='suspect')}", table)
        forms = {name: form for name, form in cohort.match.forms.items() if form != "entry"}  # a join takes them apart
        text = rejects_text(cohort.knowledge, ["row"], forms, rejected=False)
        self._keep("contradictory", sql.contradictory(text), table)
        self._keep("refused", sql.refused_cells(cohort, row), table)
        self._keep("alike", sql.ALIKE)
        self._run(f"CREATE OR REPLACE TEMP TABLE reasons {sql.REASONS}")
        for first in range(1, 1 + int(self._fetch("SELECT count(*) FROM alike")[0][0]), BATCH):
            cells = self._fetch(f"SELECT * FROM alike WHERE number BETWEEN {first} AND {first + BATCH - 1}")
            found = [
                (number, turn, *said)
                for number, finding, cell, parts, holding in cells
                for turn, said in enumerate(
                    reasons.of(finding, cell if parts is None else tuple(parts), tuple(holding))
                )
            ]
            if found:
                self._run(sql.INSERT_REASONS, table, [list(column) for column in zip(*found, strict=True)])
        self._run(f"COPY ({sql.REJECTS}) TO {sql.target(Result(out, 'csv'))}")

    def _keep(self, name: str, query: str, table: Table | None = None) -> None:
        self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", table)

    # two results

    def changes(self, old: Result, new: Result, column: str, examples: int) -> list[tuple[str, str, int, list[int]]]:
        """Return each change of `column` between two results: from, to, how many rows, the first of them from 1 on."""
        query = (
            f"SELECT a.{column}, b.{column}, count(*), min(place + 1, {examples}) "
            f"FROM {sql.paired(old, new)} WHERE a.{column} <> b.{column} GROUP BY ALL ORDER BY ALL"
        )
        return [(str(a), str(b), int(n), sorted(map(int, rows))) for a, b, n, rows in self._fetch(query)]

    def moved(self, old: Result, new: Result, column: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return in how many rows each part of the list `column` comes between two results, and goes."""

        def only(one: str, other: str) -> dict[str, int]:
            left = f"list_filter({one}.{column}, lambda w: NOT list_contains({other}.{column}, w))"
            query = f"SELECT w, count(*) FROM (SELECT unnest({left}) AS w FROM {sql.paired(old, new)}) GROUP BY w"
            return {str(word): int(count) for word, count in self._fetch(query)}

        return only("b", "a"), only("a", "b")

    def differing(self, old: Result, new: Result, columns: Sequence[str]) -> int:
        """Return in how many rows any of `columns`, the order of lists apart, differs between two results."""
        other = " OR ".join(f"list_sort(a.{name}) <> list_sort(b.{name})" for name in columns)
        differs = f"a.disposition <> b.disposition OR {other}"
        return int(self._fetch(f"SELECT count(*) FROM {sql.paired(old, new)} WHERE {differs}")[0][0])

    # asking DuckDB

    def _fetch(self, query: str, table: Table | None = None) -> list[tuple[Any, ...]]:
        return list(self._run(query, table).fetchall())

    def _run(self, query: str, table: Table | None = None, values: Sequence[list[Any]] = ()) -> Any:
        return self._watched(lambda: self._db.execute(query, values), table)

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
        if isinstance(error, self._duckdb.OutOfMemoryException):
            hint = "give more --memory or fewer --threads"
            return Unusable([Fault(at, "takes more memory than DuckDB may hold", hint)])
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
