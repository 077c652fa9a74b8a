"""`psoas audit diff`: two versions of a knowledge base, directories or git revisions."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import Problem

if TYPE_CHECKING:
    from psoas.audit.cohort import Drift
    from psoas.audit.difference import Edit, Milder, Shift
    from psoas.knowledge.model import Knowledge


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--cohort", metavar="TABLE", help="Also screen the people in TABLE by both, and count what changes.")
def diff(old: str, new: str | None, form: str, cohort: str | None) -> None:
    """Compare two versions of a knowledge base: directories, or git revisions of the repository here.

    Without NEW, OLD is compared with the knowledge base that is installed. Says what changed, which worked cases come
    out differently, and whether any possible case is now triaged less urgently: then exit 1, with the smallest case.
    """
    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(_folder(name)) for name in (old, new))
        changes = _compared(one, two)
        moved = _drift(one, two, cohort) if cohort else None
    if form == "json":
        record = _record(*changes)
        if moved is not None:
            record["cohort"] = dataclasses.asdict(moved)
        click.echo(json.dumps(record, ensure_ascii=False, indent=2))
    else:
        for line in (*_told(*changes), *(_drifted(moved) if moved is not None else ())):
            click.echo(line)
    if changes[3] is not None:
        raise click.exceptions.Exit(1)


def _compared(old: Path, new: Path) -> tuple[Knowledge, list[Edit], list[Shift], Milder | None]:
    from psoas.audit.difference import edits, milder, shifts
    from psoas.case import read_case
    from psoas.consultation import Consultant
    from psoas.faults import Unusable
    from psoas.knowledge.load import load

    before, after = load(old), load(new)
    cases = []
    for path in sorted((new / "cases").glob("*.yaml")):
        with contextlib.suppress(Unusable):  # a case of the new version may ask what the old one does not know
            cases.append((read_case(before, path), read_case(after, path)))
    shifted = list(shifts(Consultant(before), Consultant(after), cases))
    try:
        worse = milder(before, after)
    except ImportError as error:
        raise Problem("the proof needs z3: pip install 'psoas[audit]'") from error
    return after, list(edits(before, after)), shifted, worse


def _drift(old: Path, new: Path, table: str) -> Drift:
    from psoas.audit.cohort import drift
    from psoas.cohort.tables import find_table
    from psoas.knowledge.load import load

    try:
        return drift(load(old), load(new), find_table(table))
    except ImportError as error:
        raise Problem("a cohort needs duckdb: pip install 'psoas[cohort]'") from error


def _drifted(it: Drift) -> Iterator[str]:
    yield f"{it.changed:,} of {it.rows:,} rows of the table come out differently"
    for change in it.dispositions:
        more = [] if change.rows == len(change.examples) else ["…"]
        rows = ", ".join([*map(str, change.examples), *more])
        yield f"  {change.rows:>10,}  {change.before} → {change.after}  (row {rows})"
    for verb, sides in (("come", it.come), ("gone", it.gone)):
        for what, counts in sides.items():
            yield from (f"  {count:>10,}  {verb}: {name}  ({what})" for name, count in counts.items())


@contextlib.contextmanager
def _folder(name: str | None) -> Iterator[Path]:
    """Yield the folder of a version: a directory, or `kb` as it was in a git revision; the installed one for None."""
    if name is None:
        from psoas.knowledge.home import knowledge_home

        yield knowledge_home()
    elif Path(name).is_dir():
        yield Path(name)
    else:
        with tempfile.TemporaryDirectory(prefix="psoas-") as folder:
            _unpack(name, Path(folder))
            yield Path(folder) / "kb"


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


def _told(knowledge: Knowledge, edits: list[Edit], shifts: list[Shift], worse: Milder | None) -> Iterator[str]:
    yield f"{len(edits)} items changed" if edits else "Nothing changed."
    for edit in edits:
        yield f"  {edit.kind:<8} {edit.item}  ({edit.shelf})"
        yield from (f"    {sign} {words}" for sign, words in (("-", edit.before), ("+", edit.after)) if words)
    yield f"{len(shifts)} worked cases come out differently" if shifts else "Every worked case comes out as before."
    for shift in shifts:
        yield f"  {shift.case}: {'; '.join(_moved(shift))}"
    if worse is None:
        yield "Proved: no possible case is triaged less urgently than before."
        return
    yield f"A case that was {worse.before} is now {worse.after}:"
    yield from (f"  {line}" for line in _case(knowledge, worse).splitlines())


def _moved(shift: Shift) -> Iterator[str]:
    before, after = shift.before, shift.after
    if before.level != after.level:
        yield f"{before.level} → {after.level}"
    if before.lead != after.lead:
        yield f"leading cause {before.lead or 'none'} → {after.lead or 'none'}"
    gone, come = set(before.remedies) - set(after.remedies), set(after.remedies) - set(before.remedies)
    if gone:
        yield f"no longer given: {', '.join(sorted(gone))}"
    if come:
        yield f"now given: {', '.join(sorted(come))}"


def _case(knowledge: Knowledge, worse: Milder) -> str:
    from psoas.case import case_of, case_text

    answers = {name: state for name, state in worse.case.items() if name in knowledge.findings}
    return case_text(knowledge, case_of("less-urgent", answers))


def _record(knowledge: Knowledge, edits: list[Edit], shifts: list[Shift], worse: Milder | None) -> dict[str, Any]:
    from psoas.case import plain

    del knowledge
    less = None
    if worse is not None:
        case = {name: plain(state) for name, state in sorted(worse.case.items())}
        less = {"from": worse.before, "to": worse.after, "case": case}
    return {
        "format": "psoas.difference/1",
        "changed": [dataclasses.asdict(edit) for edit in edits],
        "cases": [dataclasses.asdict(shift) for shift in shifts],
        "less_urgent": less,
    }
