"""An interview on disk, as a case file: written after every answer, found again after whatever broke it off."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from psoas.disk import hold, replace

UNFINISHED = ".unfinished.yaml"


class NoJournal(Exception):
    """There is no interview to go on with; the message says why."""


@dataclass
class Journal:
    """The file of one interview. No other process goes on with it while this one lives."""

    path: Path
    trouble: str = ""  # why it cannot be written, as the system says it; "" while it can
    kept: bool = False  # whether the file exists, with all answers but those of the last trouble
    _lock: int | None = field(default=None, repr=False)  # an open file

    @classmethod
    def begin(cls, folder: Path) -> Journal:
        """Return a new journal in `folder`, which is made where it is missing."""
        name, number = f"{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}", 0
        while True:
            journal = cls(folder / f"{name}{f'-{number}' if number else ''}{UNFINISHED}")
            number += 1
            try:
                _make(folder)
                journal._lock = _locked(journal.path)
            except BlockingIOError:  # one of the name, begun elsewhere on a shared disk
                continue
            except OSError as error:
                journal.trouble = error.strerror or str(error)
                return journal
            if not journal.path.exists():
                return journal
            journal.release()

    @classmethod
    def resume(cls, folder: Path) -> Journal:
        """Return the newest unfinished journal in `folder` that no living interview holds. Raises `NoJournal`."""
        held = 0
        try:
            files = (path for path in folder.glob(f"*{UNFINISHED}") if not path.is_dir())
            found = sorted(files, key=_age, reverse=True)
        except OSError as error:
            raise NoJournal(f"{folder}: {error.strerror}") from error
        for path in found:
            journal = cls(path, kept=True)
            try:
                journal._lock = _locked(path)
            except BlockingIOError:
                held += 1
                continue
            except OSError as error:
                journal.trouble = error.strerror or str(error)
            if path.exists():
                return journal
            journal.release()  # it was finished just now
        if held:
            raise NoJournal(f"{held} unfinished in {folder}, but still open in another window")
        raise NoJournal(f"none is unfinished in {folder}")

    def write(self, text: str) -> bool:
        """Put `text` on disk, whole or not at all; return whether that worked (`trouble` says why not)."""
        try:
            _make(self.path.parent)  # somebody may have cleared it away
            replace(self.path, text.encode(), mode=0o600)
        except OSError as error:
            self.trouble = error.strerror or str(error)
            return False
        self.trouble, self.kept = "", True
        return True

    @property
    def written(self) -> datetime:
        """When it was written last."""
        return datetime.fromtimestamp(self.path.stat().st_mtime)

    def finish(self) -> None:
        """Mark the interview as finished: nothing goes on with it any more."""
        path = self.path.with_name(self.path.name.removesuffix(UNFINISHED) + ".yaml")
        with contextlib.suppress(OSError):  # it then stays where it is, and can be read as well
            os.replace(self.path, path)
            self.release()
            self.path = path
        self.release()

    def release(self) -> None:
        """Let another process go on with it."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                _lock_path(self.path).unlink()
            os.close(self._lock)
            self._lock = None


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # finished just now
        return 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, "a file stands where the folder should be") from error


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(UNFINISHED) + ".lock")


def _locked(path: Path) -> int:
    """Return an open file that holds the lock of `path` until it is closed, or its process ends. Raises `OSError`."""
    opened = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        hold(opened)
        if os.fstat(opened).st_ino != _lock_path(path).stat().st_ino:
            raise BlockingIOError  # whoever held it has just cleared it away, and another may hold a new one
    except OSError:
        os.close(opened)
        raise
    return opened
