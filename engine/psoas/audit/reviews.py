"""reviews.yaml: signatures are appended to it, one by one; what stands in it is never rewritten.

Nothing is written into a file that cannot be read, that changed since it was read, or that another reviewer holds.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType

from psoas.disk import hold, replace
from psoas.faults import Fault, Hint, Place, Unusable
from psoas.knowledge.model import Review
from psoas.knowledge.reader import Reader, Skip, listed
from psoas.knowledge.shape import build
from psoas.yamltext import Tree, parse, place_of, read_bytes, scalar

HEADER = """\
# yaml-language-server: $schema=schema/reviews.json
# Signatures of experts. `psoas audit review` appends to this list; each holds for the text with its digest only.
"""

MINE = "review a copy of the knowledge base that is yours to change, with --kb DIR"


class Ledger:
    """The reviews file of one knowledge base, held by one reviewer until it is closed."""

    def __init__(self, home: Path) -> None:
        """Take hold of the file in the folder `home`. Raises `Unusable` where another reviewer has it."""
        self.path = next(
            (p for p in (home / "reviews.yaml", home / "reviews.yml") if p.exists()), home / "reviews.yaml"
        )
        if home.is_dir() and not os.access(home, os.W_OK):
            raise self._refused("cannot be written", MINE)
        self._lock = _locked(home)
        try:
            self._seen = self._read()
        except Unusable:
            self.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another reviewer have the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def append(self, review: Review) -> Place:
        """Put `review` at the end of the file, on disk; return where it stands.

        Raises `Unusable`, with the file as it was, where it changed since it was read, or nothing can be appended.
        """
        if self._read() != self._seen:
            raise self._refused(
                "was changed since it was read; your signature was not written, lest that change be lost",
                "look at the change, then start the review again: what was signed before it is kept",
            )
        before = self._seen or b""
        root = parse(before, str(self.path))
        after = before + self._text(review, before, root)
        if not self._is_extended(after, [*self._read_back(before, root), review]):
            raise self._refused(
                "has an end to which no signature can be appended",
                "let it be a list of items that begin with a dash, with nothing after the last",
            )
        try:
            replace(self.path.resolve(), after)
        except OSError as error:
            message = f"cannot be written: {error.strerror}; your signature is not kept"
            raise self._refused(message, MINE) from error
        self._seen = after
        root = parse(after, str(self.path))
        return place_of(listed(root)[-1], str(self.path)) if root else Place(str(self.path))

    def _read(self) -> bytes | None:
        return read_bytes(self.path) if self.path.exists() else None

    def _refused(self, message: str, hint: Hint) -> Unusable:
        return Unusable([Fault(Place(str(self.path)), message, hint)])

    def _read_back(self, data: bytes, root: Tree | None) -> list[Review]:
        """Return the reviews in `data`. Raises `Unusable` where they cannot be read."""
        reader = Reader(str(self.path))
        found = []
        for node in listed(root) if root else ():
            with contextlib.suppress(Skip):
                found.append(build(Review, node, reader, place=place_of(node, reader.file)))
        if reader.faults:
            raise Unusable(reader.faults)
        return found

    def _is_extended(self, after: bytes, wanted: list[Review]) -> bool:
        """Tell whether the text `after` holds the reviews `wanted`, and no others."""
        try:
            return self._read_back(after, parse(after, str(self.path))) == wanted
        except Unusable:
            return False

    def _text(self, review: Review, before: bytes, root: Tree | None) -> bytes:
        """Return what `review` adds to the file `before`, indented and ended as its lines are."""
        start = " " * (place_of(root, "").column - 1) if root else ""
        text = "" if before else HEADER
        if before and not before.endswith(b"\n"):
            text += "\n"
        text += "".join(f"{start}{line}\n" for line in entry(review))
        return text.replace("\n", "\r\n" if b"\r\n" in before else "\n").encode()


def entry(review: Review) -> list[str]:
    """Return the lines of `review` as an item of a YAML list. The digest ends it, so that no cut goes unnoticed."""
    keys = ("of", "verdict", "by", "qualification", "on", "comment", "digest")
    said = [(key, str(getattr(review, key))) for key in keys if getattr(review, key)]
    return [f"{'- ' if not number else '  '}{key}: {scalar(text)}" for number, (key, text) in enumerate(said)]


def cleaned(text: str) -> str:
    """Return what a person typed as one line of text that a file can hold."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _locked(home: Path) -> int | None:
    """Return the open folder `home`, held until it is closed or its process ends; None where nothing can be held."""
    try:
        opened = os.open(home, os.O_RDONLY)
    except OSError:  # the text is compared before each signature in any case
        return None
    try:
        hold(opened)
    except BlockingIOError as error:
        os.close(opened)
        hint = "wait until that review has ended; what was signed in it is kept"
        raise Unusable([Fault(Place(str(home)), "is being reviewed in another window", hint)]) from error
    except OSError:  # a disk without locks
        os.close(opened)
        return None
    return opened
