"""An interview on disk, as a case file: written after every answer, found again after whatever broke it off."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished.yaml"


class NoJournal(Exception):
    """There is no interview to go on with; the message says why."""


@dataclass
class Journal:
    """The file of one interview. No other process goes on with it while this one lives."""

    path: Path
    trouble: str = ""  # why it cannot be written, as the system says it; "" while it can
    _lock: Any = field(default=None, repr=False)

    @classmethod
    def begin(cls, folder: Path) -> Journal:
        """Return a new journal in `folder`, which is made where it is missing."""
        journal = cls(folder / f"{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}{UNFINISHED}")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            journal._lock = _locked(journal.path)
        except OSError as error:
            journal.trouble = error.strerror or str(error)
        return journal

    @classmethod
    def resume(cls, folder: Path) -> Journal:
        """Return the newest unfinished journal in `folder` that no living interview holds. Raises `NoJournal`."""
        held = 0
        try:
            found = sorted(folder.glob(f"*{UNFINISHED}"), key=lambda path: path.stat().st_mtime, reverse=True)
        except OSError as error:
            raise NoJournal(f"{folder}: {error.strerror}") from error
        for path in found:
            try:
                return cls(path, _lock=_locked(path))
            except BlockingIOError:
                held += 1
            except OSError as error:
                return cls(path, error.strerror or str(error))
        if held:
            raise NoJournal(f"{held} unfinished in {folder}, but still open in another window")
        raise NoJournal(f"none is unfinished in {folder}")

    def write(self, text: str) -> bool:
        """Put `text` on disk, whole or not at all; return whether that worked (`trouble` says why not)."""
        part = self.path.with_suffix(f".part{os.getpid()}")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            self.trouble = error.strerror or str(error)
            return False
        self.trouble = ""
        return True

    def finish(self) -> Path:
        """Mark the interview as finished; return where its answers are."""
        path = self.path.with_name(self.path.name.removesuffix(UNFINISHED) + ".yaml")
        try:
            os.replace(self.path, path)
        except OSError as error:
            self.trouble = error.strerror or str(error)
            path = self.path
        self.release()
        return path

    def release(self) -> None:
        """Let another process go on with it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        with contextlib.suppress(OSError):
            _lock_path(self.path).unlink()


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(UNFINISHED) + ".lock")


def _locked(path: Path) -> Any:
    """Return a stream that holds the lock of `path` until it is closed, or its process ends. Raises `OSError`."""
    stream = open(_lock_path(path), "w")  # noqa: SIM115 (it stays open as long as the interview)
    try:
        import fcntl
    except ImportError:  # a system without: two processes could then go on with one interview
        return stream
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise
    return stream
