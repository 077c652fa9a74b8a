"""What all parts of the page are made with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill


def filled(text: str) -> str:
    """Return `text` with its paragraphs filled; headings, lists and tables stay as they are."""
    blocks = text.strip().split("\n\n")
    return "\n\n".join(block if block[0] in "#|-!" else fill(block, 118, break_on_hyphens=False) for block in blocks)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; all columns but the first are set to the right."""
    lines = [" | ".join(head), " | ".join("---" if n == 0 else "---:" for n in range(len(head)))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def met(is_met: bool) -> str:
    """Return how a target stands."""
    return "met" if is_met else "**missed**"


def listed(parts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
