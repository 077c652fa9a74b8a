"""DuckDB, embedded: reads tables, runs the SQL text, writes what comes of it. The only module that imports duckdb."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from psoas.cohort.tables import Column, Form, Match, Table
from psoas.disk import replacing
from psoas.faults import Fault, Place, Unusable
from psoas.readings.screen.dialects import DUCKDB, ENCODED, FLAT, FOREIGN_BAR

T = TypeVar("T")

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
POLL = 0.1
GROUP = 20_480
"""Rows a group of a Parquet file: whole groups are held until they are written, by each thread."""
SLOW_ON_WIDE_PLANS = "projection_placement"
"""An optimizer that takes seconds on hundreds of columns, and moves nothing here."""


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
        """Hold up to `memory`, and then use the disk. Rows come out as they went in, unless not `ordered`.

        `told` is called now and then with the percentage done. Raises `ImportError` without duckdb.
        """
        import duckdb

        self._duckdb = duckdb
        self.told = told
        self._db = duckdb.connect()
        self._setting("memory_limit", memory)
        self._spill = tempfile.TemporaryDirectory(prefix="psoas-")
        self._setting("temp_directory", self._spill.name)
        self._setting("preserve_insertion_order", str(ordered))
        self._setting("enable_progress_bar", "true")
        self._setting("enable_progress_bar_print", "false")
        self._setting("disabled_optimizers", SLOW_ON_WIDE_PLANS)
        if threads:
            self._setting("threads", str(threads))
        for macro in DUCKDB:
            self._db.execute(macro)

    def _setting(self, name: str, value: str) -> None:
        try:
            self._db.execute(f"SET {name} = {_text(value)}")
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
            return [Column(name, "text") for name in table.header]
        rows = self._fetch(f"DESCRIBE SELECT * FROM {_source(table)}", table)
        return [Column(str(name), _kind(str(kind))) for name, kind, *_ in rows]

    def count(self, table: Table) -> int:
        """Return how many rows `table` has."""
        return int(self._fetch(f"SELECT count(*) FROM {_source(table)}", table)[0][0])

    def _answers(self, table: Table, match: Match, knows: Sequence[str], *, row: str = "") -> str:
        """Return the query behind `answers`: the columns as they are, each finding as it was typed, and the row."""
        for macro in ENCODED if self._encoded(table) else FLAT:
            self._db.execute(macro)
        chosen = [
            f"{_name(column.name)} AS {_name(as_)}" for column, as_ in zip(match.columns, match.carried, strict=True)
        ]
        for finding in knows:
            place = match.answers.get(finding)
            typed = (
                "CAST(NULL AS VARCHAR)"
                if place is None
                else self._typed(match.columns[place], finding in match.numeric)
            )
            chosen.append(f"{typed} AS {_name(f'{finding} typed')}")
        numbered = f'{row} AS "row", ' if row else ""
        return f"SELECT {numbered}{', '.join(chosen)} FROM {_source(table, numbered=bool(row))}"

    def _encoded(self, table: Table) -> bool:
        """Return whether the texts of `table` are stored as places in dictionaries: what is asked of them is then
        worked out once an entry, as long as it is asked by functions alone."""
        if table.form == "csv":
            return False
        files = f"[{', '.join(_text(str(file)) for file in table.files)}]"
        plain = "type = 'BYTE_ARRAY' AND dictionary_page_offset IS NULL AND stats_null_count IS DISTINCT FROM num_values"
        return not self._fetch(f"SELECT count(*) FROM parquet_metadata({files}) WHERE {plain}", table)[0][0]

    def _typed(self, column: Column, numeric: bool) -> str:
        name = _name(column.name)
        if numeric:  # by way of a text, since 37.8 as a FLOAT is not 37.8 as a DOUBLE
            single = f"typeof({name}) = 'FLOAT'"
            return f"CASE WHEN {single} THEN CAST(CAST({name} AS VARCHAR) AS DOUBLE) ELSE CAST({name} AS DOUBLE) END"
        if column.kind == "text":
            return f"CAST({name} AS VARCHAR)"
        if column.kind == "list":
            texts = f"CAST({name} AS VARCHAR[])"
            only, blank = f"{texts}[1]", "(w IS NULL OR w = '' OR starts_with(w, ' ') AND trim(w) = '')"
            part = f"CASE WHEN {blank} THEN '\"\"' WHEN contains(w, '|') THEN replace(w, '|', '{FOREIGN_BAR}') ELSE w END"
            return (
                f"CASE WHEN len({name}) = 1 AND {only} >= '!' AND NOT contains({only}, '|') THEN {only} "  # most are so
                f"WHEN len({name}) = 0 THEN '[]' ELSE array_to_string(list_transform({texts}, lambda w: {part}), '|') END"
            )
        return f"CAST({name} AS VARCHAR)"

    # what comes of them

    def place(self, out: Path) -> AbstractContextManager[Path]:
        """Yield a file beside `out` that takes its place if nothing goes wrong."""
        return replacing(out)

    def screen(
        self, table: Table, match: Match, knows: Sequence[str], text: str, out: Path, form: Form, *, carry: bool = True
    ) -> None:
        """Write what `text` yields for `table` to the file `out`, with the table's names of the columns it carries."""
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {self._answers(table, match, knows)}", table)
        names = {as_: column.name for as_, column in match.kept.items()} if carry else {}
        renamed = ", ".join(f"{_name(as_)} AS {_name(name)}" for as_, name in names.items())
        carried = ", ".join(map(_name, names))
        how = "FORMAT csv, HEADER true" if form == "csv" else f"FORMAT parquet, ROW_GROUP_SIZE {GROUP}"
        chosen = f"{renamed}, COLUMNS(* EXCLUDE ({carried}))" if names else "*"
        self._run(f"COPY (SELECT {chosen} FROM ({text})) TO {_text(str(out))} ({how}, USE_TMP_FILE false)", table)

    def rows_of(self, out: Path, form: Form) -> int:
        """Return how many rows the result in `out` has."""
        return int(self._fetch(f"SELECT count(*) FROM {_result(out, form)}")[0][0])

    def tally(self, out: Path, form: Form, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value, or each part of a list, stands in a column of the result in `out`."""
        said = _name(column)
        if several:
            said = f"unnest({said})" if form == "parquet" else f"unnest(as_list(coalesce({said}, '')))"
        query = f"SELECT said, count(*) FROM (SELECT {said} AS said FROM {_result(out, form)}) GROUP BY said"
        return {str(value): int(count) for value, count in self._fetch(query)}

    def flagged(self, out: Path, form: Form, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of the result in `out` each of `columns`, yes or no, is yes."""
        sums = ", ".join(f"count(*) FILTER (CAST({_name(name)} AS BOOLEAN))" for name in columns)
        return dict(zip(columns, map(int, self._fetch(f"SELECT {sums} FROM {_result(out, form)}")[0]), strict=True))

    def rejects(
        self, table: Table, match: Match, knows: Sequence[str], text: str, names: Sequence[str], others: Sequence[str]
    ) -> Iterator[tuple[int, dict[str, Any], list[str]]]:
        """Yield each row with refused cells: its number, those cells, and which of `others` hold."""
        row = "row_number() OVER ()" if table.form == "csv" or len(table.files) > 1 else "file_row_number + 1"
        self._run(f"CREATE OR REPLACE TEMP VIEW answers AS {self._answers(table, match, knows, row=row)}", table)
        columns = [(match.columns[match.answers[n]], match.carried[match.answers[n]]) for n in names]
        refused = [_name(f"{n} refused") for n in names]
        cells = [
            f"{{'place': {place}, 'cell': CASE WHEN {no} THEN {_shown(*column)} END}}"
            for place, (no, column) in enumerate(zip(refused, columns, strict=True))
        ]  # only what is refused leaves DuckDB: a row may have a hundred cells
        held = [f"CASE WHEN {_name(name)} THEN {place} END" for place, name in enumerate(others)]
        chosen = f'"row", {_those(cells, ".cell")}, {_those(held)}'
        order = "" if table.form == "csv" else ' ORDER BY "row"'
        result = self._run(f"SELECT {chosen} FROM ({text}) WHERE {' OR '.join(refused)}{order}", table)
        lists = [column.kind == "list" for column, _ in columns]
        while batch := self._watched(lambda: result.fetchmany(10_000), table):
            for number, found, holding in batch:
                wrong = {names[it["place"]]: it["cell"] if lists[it["place"]] else it["cell"][0] for it in found}
                yield int(number), wrong, [others[place] for place in holding]

    # two results

    def changes(self, old: Path, new: Path, column: str, examples: int) -> list[tuple[str, str, int, list[int]]]:
        """Return each change of `column` between two results: from, to, how many rows, the first of them from 1 on."""
        query = (
            f"SELECT a.{column}, b.{column}, count(*), min(file_row_number + 1, {examples}) "
            f"FROM {_paired(old, new)} WHERE a.{column} <> b.{column} GROUP BY ALL ORDER BY ALL"
        )
        return [(str(a), str(b), int(n), sorted(map(int, rows))) for a, b, n, rows in self._fetch(query)]

    def moved(self, old: Path, new: Path, column: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return in how many rows each part of the list `column` comes between two results, and goes."""

        def only(one: str, other: str) -> dict[str, int]:
            left = f"list_filter({one}.{column}, lambda w: NOT list_contains({other}.{column}, w))"
            query = f"SELECT w, count(*) FROM (SELECT unnest({left}) AS w FROM {_paired(old, new)}) GROUP BY w"
            return {str(word): int(count) for word, count in self._fetch(query)}

        return only("b", "a"), only("a", "b")

    def differing(self, old: Path, new: Path, columns: Sequence[str]) -> int:
        """Return in how many rows any of `columns`, the order of lists apart, differs between two results."""
        other = " OR ".join(f"list_sort(a.{name}) <> list_sort(b.{name})" for name in columns)
        differs = f"a.disposition <> b.disposition OR {other}"
        return int(self._fetch(f"SELECT count(*) FROM {_paired(old, new)} WHERE {differs}")[0][0])

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


def _source(table: Table, *, numbered: bool = False) -> str:
    files = f"[{', '.join(_text(str(file)) for file in table.files)}]"
    if table.form == "parquet":
        row = ", file_row_number = true" if numbered and len(table.files) == 1 else ""
        return f"read_parquet({files}{row})"
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in table.header)
    return (
        f"read_csv({files}, header = true, auto_detect = false, delim = {_text(table.delimiter)}, quote = '\"', "
        f"escape = '\"', columns = {{{columns}}})"
    )


def _result(out: Path, form: Form) -> str:
    if form == "parquet":
        return f"read_parquet({_text(str(out))})"
    return f"read_csv({_text(str(out))}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


def _paired(old: Path, new: Path) -> str:
    """Return the rows of two results side by side."""
    one, two = (f"read_parquet({_text(str(path))}, file_row_number = true)" for path in (old, new))
    return f"{one} a JOIN {two} b USING (file_row_number)"


def _shown(column: Column, carried: str) -> str:
    """Return a cell as the rejects show it: numbers as texts, all as lists of texts."""
    name = _name(carried)
    return f"CAST({name} AS VARCHAR[])" if column.kind == "list" else f"[CAST({name} AS VARCHAR)]"


def _those(parts: Sequence[str], of: str = "") -> str:
    """Return the list of those `parts` that are something."""
    return f"list_filter([{', '.join(parts)}], lambda it: it{of} IS NOT NULL)" if parts else "[]"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
