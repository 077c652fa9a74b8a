"""`psoas screen`: a table of people screened by the same rules."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import Problem, is_terminal, kb_option, write

if TYPE_CHECKING:
    from psoas.cohort.engine import Cohort, Engine
    from psoas.cohort.summary import Summary
    from psoas.cohort.tables import Table
    from psoas.knowledge.model import Knowledge

PLOTS = ("svg", "png")


@click.command()
@click.argument("table", metavar="[TABLE|-]", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="The result: .csv or .parquet.")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="FILE",
    help="Where values go that were set aside; the default: OUT with the ending .rejects.csv.")  # fmt: skip
@click.option("--summary", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
    help="Write the summary as JSON to FILE (-: standard output).")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw the summary: .svg or .png.")
@click.option(
    "--conclusions", is_flag=True, help="A column more: every conclusion established, named as a cause or not."
)
@click.option(
    "--flags",
    is_flag=True,
    help="OUT has disposition, rejected and a yes-or-no column for every conclusion, without the answers; much faster.",
)
@click.option("--sql", is_flag=True, help="Print the SQL text, and run nothing.")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True)
@click.option("--master", metavar="ADDRESS", default="local[*]", show_default=True, help="Where Spark runs.")
@click.option("--memory", default="1GB", show_default=True, help="How much DuckDB may hold before it uses the disk.")
@click.option("--threads", type=click.IntRange(1), help="How many threads work; else as many as there is room for.")
@click.option("--any-order", is_flag=True, help="Rows of a Parquet table may change places; `row` has their numbers.")
@kb_option
def screen(
    table: str | None,
    output: Path | None,
    rejects: Path | None,
    summary: Path | None,
    plot: Path | None,
    conclusions: bool,
    flags: bool,
    sql: bool,
    engine: str,
    master: str,
    memory: str,
    threads: int | None,
    any_order: bool,
    kb: Path | None,
) -> None:
    """Screen the people in TABLE, one a row, by the same rules as `consult`.

    TABLE is a CSV or Parquet file, a pattern (in quotes), a folder, or - for standard input. Its columns are named
    after findings; others are carried through. An empty cell is a question not asked, `unknown` one that could not be
    answered; several words stand as a list, or with | between them. What cannot be read is set aside and counts as
    unknown: every row that goes in comes out.

    OUT has all columns of TABLE, and disposition, triage_rules (those that fired), causes (best first) with their
    certainties, remedies (given), withheld, and rejected (findings set aside). A summary is printed at the end.
    """
    if table is None and not sql:
        raise Problem("give a TABLE: a CSV or Parquet file, a pattern, or - for standard input")
    if output is None and not sql:
        raise Problem("give -o OUT, a file that ends in .csv or .parquet")
    if plot is not None and plot.suffix.lstrip(".").lower() not in PLOTS:
        raise Problem(f"{plot}: a plot ends in .svg or .png")
    from psoas.knowledge.load import load

    knowledge = load(kb)
    if table is None:
        from psoas.readings.screen.text import screen_text

        write(None, screen_text(knowledge, conclusions=conclusions, flags=flags))
        return
    with _input(table) as found, _progress() as progress:
        duck = {"memory": memory, "threads": threads, "ordered": not any_order, "told": progress.done}
        with _engine(engine, master, duck) as it:
            wanted = {"conclusions": conclusions, "flags": flags}
            _run(knowledge, it, found, output, rejects, summary, plot, progress, wanted, sql=sql)


def _run(
    knowledge: Knowledge,
    engine: Engine,
    table: Table,
    output: Path | None,
    rejects: Path | None,
    summary: Path | None,
    plot: Path | None,
    progress: Progress,
    wanted: dict[str, bool],
    *,
    sql: bool,
) -> None:
    from psoas.cohort.screening import cohort_of, screen_cohort
    from psoas.cohort.summary import to_json, to_text

    cohort = cohort_of(knowledge, engine, table, **wanted)
    if sql:
        write(None, cohort.text())
        return
    assert output is not None
    for line in _warnings(cohort):
        click.echo(line, err=True)
    set_aside = rejects or output.with_name(f"{output.stem}.rejects.csv")
    try:
        done = screen_cohort(cohort, engine, output, set_aside, told=progress.now)
    except OSError as error:
        raise Problem(f"{output}: cannot be written: {error.strerror or error}") from error
    progress.end()
    click.echo(to_text(done, knowledge), err=True, nl=False)
    click.echo(f"wrote {output} and {set_aside}", err=True)
    if summary:
        write(None if str(summary) == "-" else summary, to_json(done))
    if plot:
        write(plot, _drawn(done, knowledge, plot.suffix.lstrip(".").lower()))


def _warnings(cohort: Cohort) -> Iterator[str]:
    """Yield what should be known before a long run."""
    match = cohort.match
    if not match.answers:
        yield "psoas: no column is named after a finding"
    for column, finding in match.close.items():
        yield f"psoas: column {column!r} is carried through; did you mean {finding}?"
    if match.unanswered:
        settled = cohort.knowledge.manifest.otherwise.settled
        yield (
            f"psoas: {len(match.unanswered)} questions that may decide how urgent it is have no column; no row in "
            f"which one of them matters can be {settled}: {', '.join(match.unanswered)}"
        )


def _drawn(summary: Summary, knowledge: Knowledge, form: str) -> str | bytes:
    from psoas.bars import table
    from psoas.cohort.summary import panels
    from psoas.drawing import draw_table

    return draw_table(table(panels(summary, knowledge)), form)


@contextlib.contextmanager
def _engine(name: str, master: str, duck: dict[str, Any]) -> Iterator[Engine]:
    try:
        made = _made(name, master, duck)
    except ImportError as error:
        extra = "spark" if name == "spark" else "cohort"
        raise Problem(f"{name} is not installed: pip install 'psoas[{extra}]'") from error
    with made as ready:
        yield ready


def _made(name: str, master: str, duck: dict[str, Any]) -> Any:
    if name == "spark":
        from psoas.cohort.spark import Spark

        return Spark(master)
    from psoas.cohort.duck import Duck

    return Duck(**duck)


@contextlib.contextmanager
def _input(name: str) -> Iterator[Table]:
    """Yield the table called `name`; what comes by standard input is put into a file first."""
    from psoas.cohort.tables import find_table

    if name != "-":
        yield find_table(name)
        return
    if is_terminal(sys.stdin):
        raise Problem("standard input is a terminal; give a TABLE")
    with tempfile.TemporaryDirectory(prefix="psoas-") as folder:
        stream = sys.stdin.buffer
        start = stream.read(4)
        spooled = Path(folder) / ("stdin.parquet" if start == b"PAR1" else "stdin.csv")
        with spooled.open("wb") as file:
            file.write(start)
            shutil.copyfileobj(stream, file, 1 << 20)
        yield find_table(str(spooled))


class Progress:
    """How far a run is, on one line of a terminal; nothing where there is none."""

    WIDTH = 30

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self._what = ""

    def now(self, what: str) -> None:
        """Say what comes next."""
        self._what = what
        self.done(0)

    def done(self, percent: float) -> None:
        """Say how much of it is done."""
        if self.shown:
            full = int(self.WIDTH * percent / 100)
            bar = "#" * full + "-" * (self.WIDTH - full)
            click.echo(f"\r{bar} {percent:3.0f} %  {self._what:<28}", err=True, nl=False)

    def end(self) -> None:
        """Take the line away."""
        if self.shown:
            click.echo(f"\r{'':<{self.WIDTH + 40}}\r", err=True, nl=False)
            self.shown = False


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    progress = Progress(is_terminal(sys.stderr))
    try:
        yield progress
    finally:
        progress.end()
