"""What runs the SQL text over tables, and what it is given: a cohort, and where what comes of it is put."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from psoas.cohort.rejects import Reasons
from psoas.cohort.tables import Column, Form, Match, Table
from psoas.faults import Fault, Place, Unusable
from psoas.knowledge.model import Knowledge
from psoas.readings.screen.text import Output, outputs_of, screen_text

FORMS: dict[str, Form] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
"""Suffix of a result → its form."""


class Result(NamedTuple):
    """What came, or will come, of a cohort: a file, or a folder of parts."""

    path: Path
    form: Form


def form_of(out: Path) -> Form:
    """Return the form of a result by its name. Raises `Unusable`."""
    form = FORMS.get(out.suffix.lower())
    if form is None:
        raise Unusable(
            [Fault(Place(str(out)), "is neither a CSV nor a Parquet file", "its name ends in .csv or .parquet")]
        )
    return form


@dataclass(frozen=True)
class Cohort:
    """A table of people, how a knowledge base reads it, and what is wanted of each of them."""

    knowledge: Knowledge
    table: Table
    match: Match
    conclusions: bool = False
    flags: bool = False

    @property
    def findings(self) -> tuple[str, ...]:
        """What the text asks of every row."""
        return tuple(self.knowledge.findings)

    @property
    def width(self) -> int:
        """How many columns come out."""
        return len(self.match.passed_on) + len(self._outputs)

    @property
    def _outputs(self) -> tuple[Output, ...]:
        return outputs_of(self.knowledge, conclusions=self.conclusions, flags=self.flags)

    def text(self, *, lists: bool = True) -> str:
        """Return the SQL text that screens; lists come as `lists`, or as words with | between them."""
        return screen_text(
            self.knowledge,
            self.match.passed_on,
            forms=self.match.forms,
            lists=lists,
            conclusions=self.conclusions,
            flags=self.flags,
        )


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

    def screen(self, cohort: Cohort, result: Result) -> None:
        """Write the result of a cohort."""

    def rows_of(self, result: Result) -> int:
        """Return how many rows a result has."""

    def tally(self, result: Result, column: str, *, several: bool) -> dict[str, int]:
        """Return how often each value stands in a column of a result."""

    def flagged(self, result: Result, columns: Sequence[str]) -> dict[str, int]:
        """Return in how many rows of a result each of `columns`, yes or no, is yes."""

    def set_aside(self, cohort: Cohort, result: Result, reasons: Reasons, out: Path) -> None:
        """Write the cells that a result says were rejected to the CSV `out`, row by row, each with its reason."""
