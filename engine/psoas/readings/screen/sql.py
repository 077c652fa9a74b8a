"""Small pieces of SQL, and columns that build on each other, set out in layers.

Only what DuckDB and Spark both have is written here; what they write differently is behind the functions of a
prelude (`dialects.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

TRUE, FALSE = "TRUE", "FALSE"
GROUP = 8
"""So many parts of a list are looked at together: where none of them holds, none is looked at by itself."""


def text(word: str) -> str:
    """Return `word` as a literal. Words are ids of the knowledge base, so there is no quote or backslash in them."""
    assert "'" not in word, word
    assert "\\" not in word, word
    return f"'{word}'"


def double(value: float) -> str:
    """Return a number as a literal of the type DOUBLE."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value)}e0"
    written = repr(value)
    return written if "e" in written else f"{written}e0"


def every(parts: Iterable[str]) -> str:
    """Return that all `parts` hold; TRUE where there are none."""
    wanted = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in wanted:
        return FALSE
    return f"({' AND '.join(wanted)})" if len(wanted) > 1 else wanted[0] if wanted else TRUE


def some(parts: Iterable[str]) -> str:
    """Return that any of `parts` holds; FALSE where there are none."""
    wanted = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in wanted:
        return TRUE
    return f"({' OR '.join(wanted)})" if len(wanted) > 1 else wanted[0] if wanted else FALSE


def at_least(needed: int, parts: Sequence[str]) -> str:
    """Return that `needed` of `parts` hold, none of which is NULL."""
    if needed == 1:
        return some(parts)
    if needed == len(parts):
        return every(parts)
    if needed > len(parts):
        return FALSE
    return f"({' + '.join(f'CAST({part} AS INT)' for part in parts)} >= {needed})"


def negated(part: str) -> str:
    """Return that `part` is false."""
    return FALSE if part == TRUE else TRUE if part == FALSE else f"(NOT {part})"


def known_true(part: str) -> str:
    """Return that `part` is true, and not unknown."""
    return part if part in (TRUE, FALSE) else f"({part} IS TRUE)"


def uses(expression: str) -> Iterator[str]:
    """Yield the names of the columns an expression builds on."""
    for found in re.finditer(r'"([^"]+)"', expression):
        yield found[1]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, and what it is worked out from."""

    name: str
    expression: str

    def uses(self) -> Iterator[str]:
        """Yield the names of the columns it builds on."""
        yield from uses(self.expression)


class Columns:
    """Columns that build on each other and on those `given`; each lies a layer above the highest it builds on."""

    def __init__(self) -> None:
        self._made: dict[str, Column] = {}
        self._spelled: dict[str, str] = {}

    def add(self, name: str, expression: str | Callable[[], str]) -> str:
        """Add a column if there is none of that name, and return how an expression writes it."""
        if name not in self._spelled:
            written = expression if isinstance(expression, str) else expression()
            spelled = name  # engines do not tell capitals apart
            while spelled.lower() in self._made:
                spelled += "'"
            self._spelled[name] = spelled
            self._made[spelled.lower()] = Column(spelled, written)
        return self[name]

    def __getitem__(self, name: str) -> str:
        return f'"{self._spelled[name]}"'

    def joined(self, name: str, parts: Sequence[tuple[str, str]]) -> str:
        """Add a column with the texts whose condition holds, in this order, with | between them.

        `parts` is (condition, text). Few hold in a row, so there are columns that say of several whether any does.
        """
        groups = [parts[start : start + GROUP] for start in range(0, len(parts), GROUP)]
        anything = [self.add(f"{name}, {n}", some(holds for holds, _ in g)) for n, g in enumerate(groups, 1)]
        texts = []
        for any_of, group in zip(anything, groups, strict=True):
            said = ", ".join(f"CASE WHEN {condition} THEN {what} END" for condition, what in group)
            texts.append(f"CASE WHEN {any_of} THEN concat_ws('|', {said}) END")
        any_at_all = self.add(f"{name}, any", some(anything))
        return self.add(
            name, f"CASE WHEN {any_at_all} THEN concat_ws('|', {', '.join(texts)}) ELSE '' END" if texts else "''"
        )

    def layers(self, wanted: Iterable[str]) -> list[list[Column]]:
        """Return the columns that the expressions `wanted` build on, layer by layer."""
        depth: dict[str, int] = {}

        def settle(name: str) -> int:
            column = self._made.get(name.lower())
            if column is None:
                return -1  # given
            if column.name not in depth:
                depth[column.name] = -1  # a column never builds on itself
                depth[column.name] = 1 + max(map(settle, column.uses()), default=-1)
            return depth[column.name]

        for expression in wanted:
            for name in uses(expression):
                settle(name)
        layers: list[list[Column]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
        for column in self._made.values():
            if column.name in depth:
                layers[depth[column.name]].append(column)
        return layers
