"""`psoas audit check`, `psoas audit coverage`: what is wrong with a knowledge base, what it has been tried on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from psoas_cli.output import Problem, kb_option, write, write_file

if TYPE_CHECKING:
    from psoas.audit.report import Audit

LEVELS = ("note", "warning", "error")


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option(
    "--fail-level",
    type=click.Choice([*LEVELS, "never"]),
    default="error",
    show_default=True,
    help="Exit 1 from this severity on.",
)
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check; may be given several times.")
@click.option("--notes/--no-notes", default=True, help="In the text: list the notes, or only count them.")
@click.option("--no-cases", is_flag=True, help="Leave out the worked cases, which take most of the time.")
@kb_option
def check(
    form: str, output: Path | None, fail_level: str, only: tuple[str, ...], notes: bool, no_cases: bool, kb: Path | None
) -> None:
    """Hold the knowledge base against itself.

    Finds rules that repeat or contradict each other or never fire, causes and remedies that lead nowhere, signs of
    danger that nothing looks at, gaps between thresholds, doses without a source, and more. docs/audit has a page on
    each check. Exit 1 where something is as bad as --fail-level, 2 where the knowledge base cannot be used.
    """
    from psoas.audit.checking import CHECKS, unusable
    from psoas.faults import Unusable, suggest

    for name in only:
        if name not in CHECKS:
            raise Problem(f"there is no check {name!r}; {suggest(name, CHECKS, 'docs/audit lists them')}")
    try:
        found = _audited(kb, only, with_cases=not no_cases)
    except Unusable as error:
        found = unusable(error)
    write(output, _shown(found, form, notes))
    if found.knowledge is None:
        raise click.exceptions.Exit(2)
    if found.fails(fail_level):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 if any part is covered less than this.",
)
@click.option("--all", "whole", is_flag=True, help="List every item, not only what is not covered.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Worked cases other than its own.",
)
@kb_option
def coverage(
    form: str, output: Path | None, threshold: float | None, whole: bool, cases: Path | None, kb: Path | None
) -> None:
    """Show what the knowledge base has been tried on.

    Which claims carry rules, which questions are used, which rules fire in a worked case and are one answer short in
    another, and whether the cases lie on both sides of every threshold.
    """
    from psoas.audit.checking import worked_cases
    from psoas.audit.trial import table, to_json, to_text, trial
    from psoas.knowledge.home import knowledge_home
    from psoas.knowledge.load import load

    knowledge = load(kb)
    home = kb or knowledge_home()
    folder = cases or home / "cases"
    if not folder.is_dir():
        raise Problem(f"{folder}: there are no worked cases; give their folder with --cases DIR")
    found = trial(knowledge, worked_cases(knowledge, folder, folder))
    write(output, to_json(found) if form == "json" else to_text(found, whole=whole))
    if threshold is not None and any(row.percent < threshold for row in table(found)):
        raise click.exceptions.Exit(1)


def _audited(kb: Path | None, only: tuple[str, ...], *, with_cases: bool) -> Audit:
    from psoas.audit.checking import audit, tried_on
    from psoas.audit.sentences import read_invariants
    from psoas.knowledge.home import knowledge_home
    from psoas.knowledge.load import load

    knowledge = load(kb)
    home = kb or knowledge_home()
    shown = (home if kb else Path(home.name)) / "cases"
    cases = tried_on(knowledge, home / "cases", shown) if with_cases else ()
    return audit(knowledge, cases, only, read_invariants(knowledge, kb))


def _shown(found: Audit, form: str, notes: bool) -> str:
    from psoas.audit.report import to_json, to_text

    if form == "sarif":
        from psoas.audit.sarif import to_sarif

        return to_sarif(found)
    return to_json(found) if form == "json" else to_text(found, notes=notes)


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to; the default: KB/schema."
)
@kb_option
def schema(output: Path | None, kb: Path | None) -> None:
    """Write the JSON Schemas by which an editor completes and checks the YAML files.

    A file names its schema in its first line. Run this again after changing what can be asked or concluded.
    """
    from psoas.knowledge.home import knowledge_home
    from psoas.knowledge.load import load
    from psoas.knowledge.schema import schemas

    folder = output or (kb or knowledge_home()) / "schema"
    made = schemas(load(kb))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            write_file(folder / name, text.encode())
    except OSError as error:
        raise Problem(f"{folder}: cannot be written: {error.strerror}") from error
    click.echo(f"wrote {len(made)} schemas to {folder}", err=True)
