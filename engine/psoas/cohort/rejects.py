"""Why a cell was set aside: the reasons of `case.py`, which a case file would be given."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

from psoas.case import Refused, read_answer
from psoas.knowledge.model import Finding, Knowledge

Cell: TypeAlias = str | tuple[str | None, ...] | None
"""What stands in a cell, numbers as texts."""


class Reject(NamedTuple):
    """A cell that was set aside. Rows count from 1, without the header."""

    row: int
    column: str
    value: str
    reason: str


def written(finding: Finding, cell: Cell) -> str | list[str] | None:
    """Return a cell as an answer in a case file; None for an empty one, which asks nothing."""
    if cell is None:
        return None
    if isinstance(cell, tuple):
        return [part or "" for part in cell]
    if not cell.strip():
        return None
    return cell.split("|") if finding.type in ("any of", "list of numbers") else cell


class Reasons:
    """Finds the reasons for the cells of one table."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.of = lru_cache(maxsize=10_000)(self._reasons)
        """`_reasons`, remembered: the same few cells are refused again and again."""

    def _reasons(self, name: str, cell: Cell, holding: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return the refused cell of a finding as it is shown, with each reason.

        `holding` are the contradictions that hold in its row.
        """
        return [(_shown(cell), reason) for reason in self._found(name, cell, holding)]

    def _found(self, name: str, cell: Cell, holding: tuple[str, ...]) -> Iterator[str]:
        said = written(self.knowledge.findings[name], cell)
        if said is not None:
            try:
                read_answer(self.knowledge.findings[name], said)
            except Refused as refusal:
                yield str(refusal)
        rules = (self.knowledge.contradictions[id] for id in holding)
        yield from [rule.because for rule in rules if name in rule.refuse][:1]


def _shown(cell: Cell) -> str:
    return "|".join(part or "" for part in cell) if isinstance(cell, tuple) else cell or ""


def write(rejects: Iterable[Reject], out: Path) -> None:
    """Write a table of `rejects` to the CSV `out`."""
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Reject._fields)
        writer.writerows(rejects)
