"""`psoas audit diff`: two versions of a knowledge base, directories or git revisions."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from psoas_cli.output import Problem, is_terminal, write

if TYPE_CHECKING:
    from psoas.audit.compared import Comparison
    from psoas.audit.difference import Proved
    from psoas.faults import Place
    from psoas.knowledge.model import Invariant, Knowledge


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--cohort", metavar="TABLE", help="Also screen the people in TABLE by both, and count what changes.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
def diff(old: str, new: str | None, form: str, cohort: str | None, output: Path | None) -> None:
    """Compare two versions of a knowledge base: directories, or git revisions of the repository here.

    Without NEW, OLD is compared with the knowledge base that is installed. Says what changed, which worked cases come
    out differently, and by proof what any possible case gets otherwise: exit 1 if one is now triaged less urgently.
    Ctrl-C stops, and what was found until then is shown.
    """
    from psoas.audit.compared import to_json, to_text

    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(_version(name)) for name in (old, new))
        found = _compared(one, two)
        if cohort and not found.stopped:
            _screen(found, cohort)
    write(output, to_json(found) if form == "json" else to_text(found))
    if found.stopped:
        raise click.exceptions.Exit(130)
    if found.unproved == NEEDS_Z3:
        raise Problem(f"the proof {NEEDS_Z3}")
    if found.fails:
        raise click.exceptions.Exit(1)


NEEDS_Z3 = "needs z3: pip install 'psoas[audit]'"


@dataclass(frozen=True)
class Version:
    """Where one version lies, and what messages call it."""

    home: Path
    shown: Path

    def load(self) -> Knowledge:
        """Return it. Raises `Unusable` with places that a person can go to."""
        from psoas.faults import Unusable
        from psoas.knowledge.load import load

        try:
            return load(self.home)
        except Unusable as error:
            faults = [replace(fault, place=self.place(fault.place)) for fault in error.faults]
            raise Unusable(faults) from error

    def sentences(self, knowledge: Knowledge) -> tuple[Invariant, ...]:
        """Return its invariants; none where they cannot be read, as that is for `audit prove` to say."""
        from psoas.audit.sentences import read_invariants
        from psoas.faults import Unusable

        try:
            found = read_invariants(knowledge, self.home)
        except Unusable:
            return ()
        return tuple(replace(item, place=self.place(item.place)) for item in found)

    def place(self, place: Place) -> Place:
        """Return `place` as messages are to show it."""
        path = Path(place.file)
        if path.is_relative_to(self.home):
            return replace(place, file=str(self.shown / path.relative_to(self.home)))
        return place


def _compared(old: Version, new: Version) -> Comparison:
    from psoas.audit.compared import Comparison
    from psoas.audit.difference import shared_cases, shifts
    from psoas.audit.edits import edits
    from psoas.consultation import Consultant

    before, after = old.load(), new.load()
    found = Comparison(before, after)
    found.unproved = "it was stopped before that"
    try:
        sides = {"added": new, "removed": old}
        for edit in edits(before, after, (old.sentences(before), new.sentences(after))):
            found.edits.append(replace(edit, place=sides.get(edit.kind, new).place(edit.place)))
        cases, found.unread = shared_cases(before, after, (old.home, new.home))
        consultants = Consultant(before), Consultant(after)
        shows = is_terminal(sys.stderr)
        with click.progressbar(cases, label="worked cases", file=sys.stderr, hidden=not shows) as bar:
            for case in bar:
                found.shifts += shifts(*consultants, [case])
                found.cases += 1
        if shows:
            click.echo("proving …", err=True)
        found.proved, found.unproved = _proved(before, after)
    except KeyboardInterrupt:
        found.stopped = True
    return found


def _proved(old: Knowledge, new: Knowledge) -> tuple[Proved | None, str]:
    """Return what is proved of two versions, or why nothing is."""
    from psoas.audit.difference import prove

    try:
        from psoas.readings.prove.search import Undecided
    except ImportError:
        return None, NEEDS_Z3
    try:
        return prove(old, new), ""
    except Undecided as error:
        return None, str(error)


def _screen(found: Comparison, table: str) -> None:
    """Add to `found` what the two versions make of a table."""
    from psoas.cohort.tables import find_table

    try:
        from psoas.audit.cohort import drift
    except ImportError as error:
        raise Problem("a cohort needs duckdb: pip install 'psoas[cohort]'") from error
    try:
        found.drift = drift(found.old, found.new, find_table(table))
    except KeyboardInterrupt:
        found.stopped = True


@contextlib.contextmanager
def _version(name: str | None) -> Iterator[Version]:
    """Yield a version: a directory, or `kb` as it was in a git revision; the installed one for None."""
    if name is None:
        from psoas.knowledge.home import knowledge_home

        home = knowledge_home()
        yield Version(home, Path(home.name))
    elif Path(name).is_dir():
        yield Version(Path(name), Path(name))
    else:
        with tempfile.TemporaryDirectory(prefix="psoas-") as folder:
            _unpack(name, Path(folder))
            yield Version(Path(folder) / "kb", Path(f"{name}:kb"))


def _unpack(revision: str, folder: Path) -> None:
    try:
        top = _git("rev-parse", "--show-toplevel").decode().strip()
        packed = _git("-C", top, "archive", "--format=tar", revision, "kb")
    except (OSError, subprocess.CalledProcessError) as error:
        why = error.stderr.decode(errors="replace").strip() if isinstance(error, subprocess.CalledProcessError) else ""
        raise Problem(
            f"{revision} is neither a directory nor a git revision with a kb/ in it. {why}".strip()
        ) from error
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(folder)


def _git(*arguments: str) -> bytes:
    if any(argument.startswith("--output") for argument in arguments):
        raise Problem("a git revision does not begin with dashes")
    return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout
