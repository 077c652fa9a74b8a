"""What is to be said, before it is text or Markdown: sections of paragraphs and entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Subheading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a list: its head, an aside beside it, labelled lines below it, numbered steps, and notes."""

    head: str
    aside: str = ""
    lines: tuple[tuple[str, str], ...] = ()  # (label, text); a label that repeats stands once
    steps: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # (label, text) for whoever checks it: in Markdown, not in plain text


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of entries, numbered if their order matters."""

    of: tuple[Entry, ...]
    numbered: bool = False


Block: TypeAlias = Paragraph | Subheading | Entries


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A title with its opening paragraphs, and the sections that follow."""

    title: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...] = ()
    alarm: bool = False  # the title must not be overlooked
    short: str = ""  # all of it in a line, for the end of a text longer than a screen
