"""A `Document` as Markdown (CommonMark). Text that came from a user is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psoas.faults import visible
from psoas.telling.document import Block, Document, Paragraph, Subheading


def to_markdown(document: Document) -> str:
    """Return `document` as Markdown."""
    lines = [f"# {_escaped(document.title)}", ""]
    for block in document.opening:
        lines += _block(block)
    for section in document.sections:
        lines += [f"## {_escaped(section.title)}", ""]
        for block in section.blocks:
            lines += _block(block)
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from (_escaped(block.text), "")
        return
    if isinstance(block, Subheading):
        yield from (f"### {_escaped(block.text)}", "")
        return
    for number, entry in enumerate(block.of, 1):
        lead = f"{number}. " if block.numbered else "- "
        inner = " " * len(lead)
        yield f"{lead}**{_escaped(entry.head)}**" + (f" ({_escaped(entry.aside)})" if entry.aside else "")
        for label, text in (*entry.lines, *entry.notes):
            yield f"{inner}- " + (f"*{_escaped(label)}:* " if label else "") + _escaped(text)
        for count, step in enumerate(entry.steps, 1):
            yield f"{inner}{count}. {_escaped(step)}"
    yield ""


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", visible(text))
