"""Counts as bars: panels of names, bars and numbers → the label of a Graphviz node, drawn by `drawing.py`."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 320
"""Points of the longest bar of a panel."""
NUMBER = 76
COLOUR, GREY = "#0072B2", "#666666"


@dataclass(frozen=True, slots=True)
class Panel:
    """A heading, and counts under it in the order to be shown."""

    heading: str
    counts: Sequence[tuple[str, int]]


def table(panels: Sequence[Panel]) -> str:
    """Return the panels below each other as one table in Graphviz's HTML."""
    rows = [row for panel in panels for row in _rows(panel)]
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">{"".join(rows)}</TABLE>>'


def _rows(panel: Panel) -> Iterator[str]:
    yield f'<TR><TD ALIGN="LEFT" COLSPAN="2"><B>{html.escape(panel.heading)}</B></TD></TR>'
    total, most = sum(count for _, count in panel.counts), max((count for _, count in panel.counts), default=0)
    for name, count in panel.counts:
        width = max(1, round(LONGEST * count / most)) if count else 0
        told = f'<TD ALIGN="LEFT" WIDTH="{NUMBER}"><FONT COLOR="{GREY}">{count:,}</FONT></TD>'
        cells = f"{_bar(width, COLOUR)}{told}{_bar(LONGEST - width)}"  # filled up, or the row would be centred
        drawn = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>{cells}</TR></TABLE>'
        yield f'<TR><TD ALIGN="RIGHT">{html.escape(name)}</TD><TD ALIGN="LEFT">{drawn}</TD></TR>'
    if not total:
        yield '<TR><TD></TD><TD ALIGN="LEFT">none</TD></TR>'


def _bar(width: int, colour: str = "") -> str:
    filled = f' BGCOLOR="{colour}"' if colour else ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="14"{filled}></TD>' if width else ""
