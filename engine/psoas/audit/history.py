"""When an item of the knowledge base was changed last, as far as git knows; where there is no git, nothing is said."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from psoas.knowledge.signatures import Item


@dataclass(frozen=True, slots=True)
class Changed:
    """The newest change of the lines of an item; with no commit, one that is not committed yet."""

    on: str = ""
    commit: str = ""
    summary: str = ""


def last_change(home: Path, shown: Path, item: Item, items: Iterable[Item]) -> Changed | None:
    """Return when the lines of `item` were changed last; None where git cannot tell.

    `home` is the folder of the knowledge base, `shown` what places call it, `items` is all that stands in its files.
    """
    try:
        path = home / Path(item.place.file).relative_to(shown)
        first, last = _lines(path, item, items)
        options = ["-c", "core.fsmonitor=false"]  # nothing that the checkout's own settings name is run
        command = ["git", *options, "blame", "--no-textconv", "--porcelain", "-L", f"{first},{last}", "--", path.name]
        done = subprocess.run(command, cwd=path.parent, capture_output=True, timeout=5, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return _newest(done.stdout.decode("utf-8", "replace"))


def _lines(path: Path, item: Item, items: Iterable[Item]) -> tuple[int, int]:
    """Return the first and the last line of `item`, without the comments before the next."""
    lines = path.read_text(encoding="utf-8").splitlines()
    file = item.place.file
    after = [i.place.line for i in items if i.place.file == file and i.place.line > item.place.line]
    last = min(after) - 1 if after else len(lines)
    while last > item.place.line and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    return item.place.line, last


def _newest(blame: str) -> Changed | None:
    """Return the newest commit in the output of `git blame --porcelain`."""
    commits: dict[str, dict[str, str]] = {}
    commit = ""
    for line in blame.splitlines():
        begin = re.fullmatch(r"([0-9a-f]{40,64}) [0-9]+ [0-9]+( [0-9]+)?", line)
        if begin:
            commit = begin[1]
        elif commit and not line.startswith("\t"):
            key, _, value = line.partition(" ")
            commits.setdefault(commit, {})[key] = value
    if any(set(name) == {"0"} for name in commits):
        return Changed()
    if not commits:
        return None
    name, newest = max(commits.items(), key=lambda entry: int(entry[1].get("committer-time", "0")))
    on = datetime.fromtimestamp(int(newest.get("committer-time", "0")), timezone.utc)
    return Changed(f"{on:%Y-%m-%d}", name[:10], newest.get("summary", ""))
