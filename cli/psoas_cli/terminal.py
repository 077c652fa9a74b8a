"""What the terminal at hand can show: how wide it is, and which signs."""

from __future__ import annotations

import os
from typing import TextIO

PLAIN = {"→": "->", "…": "...", "“": '"', "”": '"', "’": "'", "°": "", "–": "-"}
"""Sign → what stands for it where it cannot be shown."""


def width(stream: TextIO) -> int:
    """Return the columns to use: those of the terminal of `stream` as it is now, between 40 and 80."""
    told = os.environ.get("COLUMNS", "")
    try:
        columns = int(told) if told.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 80
    return max(40, min(80, columns or 80))


def printable(text: str, stream: TextIO) -> str:
    """Return `text` as the encoding of `stream` can show it."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in PLAIN.items():
            text = text.replace(sign, plain)
        text = text.encode(encoding, "replace").decode(encoding)
    return text
