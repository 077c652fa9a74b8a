"""Why a cell was set aside: the reasons of `case.py`, which a case file would be given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from psoas.case import Refused, read_answer
from psoas.knowledge.model import Contradiction, Finding, Knowledge

Cell: TypeAlias = str | list[str | None] | None
"""What stands in a cell, numbers as texts."""


@dataclass(frozen=True, slots=True)
class Reject:
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
        self._reason = lru_cache(maxsize=10_000)(self._refusal)

    def of(self, row: int, name: str, cell: Cell, holding: list[Contradiction]) -> Iterator[Reject]:
        """Yield the rejects of a refused cell, given the contradictions that hold in its row."""
        said = written(self.knowledge.findings[name], cell)
        reason = self._reason(name, tuple(said) if isinstance(said, list) else said)
        reasons = [reason] if reason else []
        reasons += [rule.because for rule in holding if name in rule.refuse][:1]
        shown = "|".join(part or "" for part in cell) if isinstance(cell, list) else cell or ""
        yield from (Reject(row, name, shown, reason) for reason in reasons)

    def _refusal(self, name: str, said: str | tuple[str, ...] | None) -> str:
        if said is None:
            return ""
        try:
            read_answer(self.knowledge.findings[name], said)
        except Refused as refusal:
            return str(refusal)
        return ""
