"""The page of a check: what it finds and what to do about it, in the words of docs/audit.

The first lines of a page are what a report says: its title, then one paragraph on what is found, then one on what to
do. The pages lie beside the package in a wheel, and in docs/audit of a checkout.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from psoas.faults import Fault, Place, Unusable


@dataclass(frozen=True, slots=True)
class Page:
    """The first lines of the page of one check."""

    check: str
    title: str
    finds: str
    do: str
    whole: str
    file: Path

    @property
    def address(self) -> str:
        """Where the whole page stands, seen from the root of the project."""
        return f"docs/audit/{self.check}.md"


def pages_home() -> Path:
    """Return the folder of the pages. Raises `Unusable` if the installation has none."""
    package = Path(__file__).resolve().parents[1]
    for home in (package.parents[1] / "docs" / "audit", package / "audit" / "pages"):
        if (home / "README.md").is_file():
            return home
    raise Unusable([Fault(Place(str(package)), "this installation has no pages on the audit", "install it anew")])


@lru_cache
def page(check: str) -> Page:
    """Return the first lines of the page of `check`."""
    file = pages_home() / f"{check}.md"
    text = file.read_text(encoding="utf-8")
    title, finds, do, *_ = (" ".join(part.split()) for part in text.split("\n\n"))
    return Page(check, title.removeprefix("# "), finds, do, text, file)


def check_ids() -> tuple[str, ...]:
    """Return the ids of the checks that have a page."""
    return tuple(sorted(path.stem for path in pages_home().glob("*.md") if path.stem != "README"))
