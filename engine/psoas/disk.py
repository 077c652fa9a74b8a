"""Files that are replaced whole or not at all, and held by one process at a time."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def replace(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Put `data` into the regular file `path` in one step: a crash leaves the old file or the new one, never a part.

    The file has the permissions `mode`; without it those it had, or as a new file those new files have here. Raises
    `OSError`, with the file as it was.
    """
    with replacing(path, mode=mode) as part, part.open("wb") as stream:
        stream.write(data)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield a file beside `path` to write to; it takes the place of `path` at the end, or is gone after an error.

    As `replace`, for what is too large to be held in memory.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".psoas-", suffix=path.suffix)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.chmod(part, (_mode(path) if mode is None else mode) & 0o7777)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return 0o666 & ~mask


def hold(opened: int) -> None:
    """Hold the open file or folder `opened` until it is closed, or its process ends; nothing on systems without locks.

    Raises `BlockingIOError` where another process holds it, `OSError` where the disk has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
