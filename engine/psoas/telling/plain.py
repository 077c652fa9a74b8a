"""A `Document` as text for a terminal or a file: at most `width` columns, nothing that needs colour to be read."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from psoas.faults import visible
from psoas.telling.document import Block, Document, Entry, Paragraph, Subheading

Paint = Callable[[str, str], str]
"""(role, text) → the text as it is to appear; roles are `alarm`, `title`, `heading` and `head`."""

LABEL = 11
SCREEN = 40
"""Lines after which a text ends with its short form, lest its beginning scroll away unread."""


def to_text(document: Document, width: int = 80, paint: Paint = lambda role, text: text) -> str:
    """Return `document` as text; `paint` may add colour, which never carries meaning of its own."""
    role = "alarm" if document.alarm else "title"
    lines = [paint(role, line) for line in _wrapped(document.title, width, "")]
    lines += [line for block in document.opening for line in _block(block, width, paint)]
    for section in document.sections:
        lines += ["", paint("heading", section.title)]
        lines += [line for block in section.blocks for line in _block(block, width, paint)]
    if document.short and len(lines) > SCREEN:
        lines += ["", *_wrapped(document.short, width, "")]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _block(block: Block, width: int, paint: Paint) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from _wrapped(block.text, width, "  ")
        return
    if isinstance(block, Subheading):
        yield f"  {paint('head', block.text)}"
        return
    for number, entry in enumerate(block.of, 1):
        yield from _entry(entry, f"  {number:<3}" if block.numbered else "  - ", width, paint)


def _entry(entry: Entry, lead: str, width: int, paint: Paint) -> Iterator[str]:
    inner = " " * len(lead)
    head = entry.head + (f"  ({entry.aside})" if entry.aside else "")
    first, *rest = _wrapped(head, width, lead, inner)
    yield lead + paint("head", first[len(lead) :])
    yield from (inner + paint("head", line[len(inner) :]) for line in rest)
    before = ""
    for label, text in entry.lines:
        start = f"{inner}{'' if label == before else label:<{LABEL - 1}} " if label else inner
        yield from _wrapped(text, width, start, inner + " " * (LABEL if label else 0))
        before = label
    for number, step in enumerate(entry.steps, 1):
        yield from _wrapped(step, width, f"{inner}{number}. ", inner + "   ")


def _wrapped(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        visible(text),
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=True,
        break_on_hyphens=False,
    ) or [first]
