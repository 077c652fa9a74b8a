"""Why a cell was set aside: the reasons of `case.py`, which a case file would be given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from psoas.case import Refused, read_answer
from psoas.knowledge.model import Contradiction, Finding, Knowledge

Cell: TypeAlias = str | list[str | None] | None
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
    if isinstance(cell, list):
        return [part or "" for part in cell]
    if not cell.strip():
        return None
    return cell.split("|") if finding.type in ("any of", "list of numbers") else cell


class Reasons:
    """Finds the reasons for the cells of one table."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._of_cell = lru_cache(maxsize=10_000)(self._looked_at)

    def of(self, row: int, name: str, cell: Cell, holding: list[Contradiction]) -> Iterator[Reject]:
        """Yield the rejects of a refused cell, given the contradictions that hold in its row."""
        shown, reason = self._of_cell(name, tuple(cell) if isinstance(cell, list) else cell)
        if reason:
            yield Reject(row, name, shown, reason)
        for rule in holding:
            if name in rule.refuse:
                yield Reject(row, name, shown, rule.because)
                break

    def _looked_at(self, name: str, cell: tuple[str | None, ...] | str | None) -> tuple[str, str]:
        """Return a cell as it is shown, and why it cannot be read; nothing if it can."""
        shown = "|".join(part or "" for part in cell) if isinstance(cell, tuple) else cell or ""
        said = written(self.knowledge.findings[name], list(cell) if isinstance(cell, tuple) else cell)
        if said is None:
            return shown, ""
        try:
            read_answer(self.knowledge.findings[name], said)
        except Refused as refusal:
            return shown, str(refusal)
        return shown, ""
