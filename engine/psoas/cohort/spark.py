"""Spark, here or on a cluster: runs the same SQL text unchanged. The only module that imports pyspark.

A result is a folder of parts, as Spark writes it. Rows are numbered as the parts of the table follow each other.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from psoas.cohort.engine import Cohort, Result
from psoas.cohort.rejects import Reasons, Reject, write
from psoas.cohort.tables import Column, Table
from psoas.faults import Fault, Place, Unusable
from psoas.readings.screen.dialects import SPARK
from psoas.readings.screen.text import rejects_text

NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",  # names are written as the standard has it
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",  # hundreds of columns make methods that Java will not compile
    "spark.sql.maxPlanStringLength": "1000",
    "spark.driver.memory": "3g",  # plans of hundreds of columns take room; only heeded where this starts Java
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
QUIET = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %m%n
logger.shell.name = org.apache.spark.api.python.PythonGatewayServer
logger.shell.level = error
"""
"""What Spark's log is told before anything is logged. A run begins with eight lines of warnings otherwise."""
PARTITION_BITS = 33
"""`monotonically_increasing_id` counts within a partition in so many bits, and partitions above."""


class Spark:
    """A Spark session. Use it in a `with`."""

    name = "spark"
    numbered = False  # the parts of a result follow each other as those of the table do

    def __init__(self, master: str = "local[*]") -> None:
        """Raises `ImportError` without pyspark, `Unusable` where it does not start."""
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession, functions

        self._functions, self._error = functions, PySparkException
        if master.startswith("local") and not shutil.which("java"):
            raise Unusable([Fault(Place("spark"), "there is no java on this machine", "install Java 17 or later")])
        logging.disable(logging.ERROR)  # py4j tells of an interrupt in pages
        self._folder = tempfile.TemporaryDirectory(prefix="psoas-")
        logged = Path(self._folder.name) / "log4j2.properties"
        logged.write_text(QUIET, encoding="utf-8")
        builder = SparkSession.builder.appName("psoas").master(master)
        builder = builder.config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={logged.as_uri()}")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        builder = builder.config("spark.sql.warehouse.dir", self._folder.name)  # else it makes one where it is called
        self._spark = builder.getOrCreate()
        for statement in SPARK:
            self._spark.sql(statement)

    def __enter__(self) -> Spark:
        return self

    def __exit__(self, *error: object) -> None:
        self._spark.stop()
        self._folder.cleanup()

    # tables in

    def _read(self, table: Table) -> Any:
        files = [str(file.resolve()) for file in table.files]
        if table.form == "parquet":
            return self._spark.read.parquet(*files)
        schema = ", ".join(f"{_name(name)} STRING" for name in table.header)
        options = {"sep": table.delimiter, "quote": '"', "escape": '"', "header": "true", "multiLine": "true",
                   "mode": "FAILFAST", "enforceSchema": "true"}  # fmt: skip
        return self._spark.read.options(**options).schema(schema).csv(files)

    def columns(self, table: Table) -> list[Column]:
        """Return the columns of `table`. Raises `Unusable` where it is none."""
        with self._told(table):
            return [
                Column(field.name, _kind(field.dataType.simpleString())) for field in self._read(table).schema.fields
            ]

    def count(self, table: Table) -> int:
        """Return how many rows `table` has."""
        with self._told(table):
            return int(self._read(table).count())

    def _answers(self, cohort: Cohort, *, numbered: bool = False) -> Any:
        """Make the view `answers`: the columns as they are, each finding as it was typed, and the row."""
        f, match = self._functions, cohort.match
        read = self._read(cohort.table).toDF(*match.carried)
        typed = []
        for finding in cohort.findings:
            place = match.answers.get(finding)
            said = "CAST(NULL AS STRING)"
            if place is not None:
                said = _typed(match.columns[place], match.carried[place], match.forms.get(finding) == "number")
            typed.append(f.expr(said).alias(f"{finding} typed"))
        row = [f.monotonically_increasing_id().alias("row")] if numbered else []
        view = read.select(*row, *(f.col(f"`{name}`") for name in match.carried), *typed)
        view.createOrReplaceTempView("answers")
        return view

    # what comes of them

    @contextlib.contextmanager
    def place(self, out: Path) -> Iterator[Path]:
        """Yield a folder beside `out` that takes its place if nothing goes wrong."""
        if out.exists() and not (out / "_SUCCESS").exists():
            hint = "Spark writes a folder of parts, and replaces only such a one"
            raise Unusable([Fault(Place(str(out)), "is there already", hint)])
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".psoas-") as folder:
            yield Path(folder) / "parts"
            if out.exists():
                out.rename(Path(folder) / "before")
            (Path(folder) / "parts").rename(out)

    def screen(self, cohort: Cohort, result: Result) -> None:
        """Write the result of `cohort` to a folder, with the table's own names of its columns."""
        with self._told(cohort.table):
            self._answers(cohort)
            found = self._spark.sql(cohort.text(lists=result.form == "parquet"))
            kept = cohort.match.kept.values()
            named = found.toDF(*(column.name for column in kept), *found.columns[len(kept) :])
            where = str(result.path.resolve())
            if result.form == "csv":
                lists = [column.name for column in kept if column.kind == "list"]
                flat = [
                    self._functions.concat_ws("|", f"`{name}`").alias(name) if name in lists else f"`{name}`"
                    for name in named.columns
                ]
                named.select(*flat).write.options(header="true", quote='"', escape='"').csv(where)
            else:
                named.write.parquet(where)

    def _result(self, result: Result) -> Any:
        where = str(result.path.resolve())
        if result.form == "parquet":
            return self._spark.read.parquet(where)
        return self._spark.read.options(header="true", quote='"', escape='"', multiLine="true").csv(where)

    def rows_of(self, result: Result) -> int:
        """Return how many rows `result` has."""
        return int(self._result(result).count())

    def tally(self, result: Result, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value, or each part of a list, stands in a column of `result`."""
        said = f"`{column}`"
        if several:
            said = f"explode({said})" if result.form == "parquet" else f"explode(as_list(coalesce({said}, '')))"
        counts = self._result(result).selectExpr(f"{said} AS said").groupBy("said").count().collect()
        return {str(row["said"]): int(row["count"]) for row in counts}

    def flagged(self, result: Result, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of `result` each of `columns`, yes or no, is yes."""
        sums = [f"count_if(CAST(`{name}` AS BOOLEAN))" for name in columns]
        return dict(zip(columns, map(int, self._result(result).selectExpr(*sums).first()), strict=True))

    def set_aside(self, cohort: Cohort, result: Result, reasons: Reasons, out: Path) -> None:
        """Write the cells that were rejected to the CSV `out`, row by row, each with its reason.

        They are looked for in the table, since the parts of `result` do not stand in the order of its rows.
        """
        with self._told(cohort.table):
            write(self._rejects(cohort, reasons), out)

    def _rejects(self, cohort: Cohort, reasons: Reasons) -> Iterator[Reject]:
        f, match = self._functions, cohort.match
        view = self._answers(cohort, numbered=True)
        sizes = view.groupBy(f.shiftright("row", PARTITION_BITS).alias("part")).count().collect()
        before, start = {}, 0
        for part, size in sorted((row["part"], row["count"]) for row in sizes):
            before[part], start = start, start + size
        shown = {n: _shown(match.columns[place], match.carried[place]) for n, place in match.answers.items()}
        text = rejects_text(cohort.knowledge, ["row", *match.carried], match.forms)
        found = self._spark.sql(text).where("rejected <> ''")
        places = {name: 3 + place for place, name in enumerate(shown)}
        for cells in found.selectExpr("row", "rejected", "contradictions", *shown.values()).toLocalIterator():
            row = before[cells[0] >> PARTITION_BITS] + (cells[0] & ((1 << PARTITION_BITS) - 1)) + 1
            holding = tuple(cells[2].split("|")) if cells[2] else ()
            for name in sorted(cells[1].split("|"), key=places.__getitem__):
                cell = cells[places[name]]
                for said in reasons.of(name, tuple(cell) if isinstance(cell, list) else cell, holding):
                    yield Reject(row, name, *said)

    @contextlib.contextmanager
    def _told(self, table: Table) -> Iterator[None]:
        """Turn what Spark says of a table into a fault of it."""
        try:
            yield
        except self._error as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise Unusable([Fault(Place(str(table.files[0])), lines[0] if lines else type(error).__name__)]) from error


def _kind(kind: str) -> Any:
    if kind.startswith("array"):
        return "list"
    base = kind.partition("(")[0]
    return "number" if base in NUMBERS else "text" if base in ("string", "boolean") else "other"


def _typed(column: Column, carried: str, numeric: bool) -> str:
    name = f"`{carried}`"
    if numeric:  # by way of a text, since 37.8 as a FLOAT is not 37.8 as a DOUBLE
        single = f"typeof({name}) = 'float'"
        return f"CASE WHEN {single} THEN CAST(CAST({name} AS STRING) AS DOUBLE) ELSE CAST({name} AS DOUBLE) END"
    return f"CAST({name} AS {'ARRAY<STRING>' if column.kind == 'list' else 'STRING'})"


def _shown(column: Column, carried: str) -> str:
    """Return a cell as the rejects show it: numbers as texts, lists as lists of texts."""
    return f"CAST(`{carried}` AS {'ARRAY<STRING>' if column.kind == 'list' else 'STRING'})"


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
