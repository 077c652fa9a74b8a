"""`psoas audit cases`: the worked cases run, and the rules changed one thing at a time to see which case notices."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import Problem, kb_option, write, write_file

if TYPE_CHECKING:
    from psoas.audit.casework.report import Casework
    from psoas.audit.casework.survivors import Panel
    from psoas.audit.material import Material
    from psoas.knowledge.model import Knowledge
    from psoas.readings.prove.variants import Original


@click.command()
@click.option("--mutate", is_flag=True, help="Change one thing at a time in the rules; say what no case would notice.")
@click.option("--of", "names", multiple=True, metavar="ID", help="Only changes of this rule or remedy; repeatable.")
@click.option("--propose", type=click.Path(path_type=Path), metavar="FILE", help="Write limits that would notice them.")
@click.option("--cases", type=click.Path(path_type=Path), metavar="DIR", help="Worked cases other than its own.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 if fewer of the changes that matter are noticed.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@kb_option
def cases(
    mutate: bool,
    names: tuple[str, ...],
    propose: Path | None,
    cases: Path | None,
    threshold: float | None,
    form: str,
    output: Path | None,
    kb: Path | None,
) -> None:
    """Run the worked cases and limits, and say which do not come out as they expect, and by which rules.

    With --mutate, each rule, red flag, withholding and remedy is then changed by one small thing at a time: a number
    by a step, an operator, a part or exception left out, the conclusion, the level, the strength. What no case would
    notice is said in words. Exit 1 where a case does not come out as it expects.
    """
    from psoas.audit.casework import report

    if (propose or names or threshold is not None) and not mutate:
        raise Problem("--propose, --of and --threshold go with --mutate")
    material = _material(kb, cases)
    found = report.run(material)
    whole = True
    if mutate:
        whole = _mutate(material, found, names, propose)
    write(output, _shown(found, form))
    if not whole:
        raise click.exceptions.Exit(130)
    if found.misses or (threshold is not None and found.score < threshold):
        raise click.exceptions.Exit(1)


def _material(kb: Path | None, cases: Path | None) -> Material:
    from psoas.audit.checking import tried_on
    from psoas.audit.material import Material
    from psoas.knowledge.home import knowledge_home
    from psoas.knowledge.load import load

    knowledge = load(kb)
    home = kb or knowledge_home()
    folder = cases or home / "cases"
    if not folder.is_dir():
        raise Problem(f"{folder}: there are no worked cases; give their folder with --cases DIR")
    shown = folder if cases or kb else Path(home.name) / "cases"
    return Material(knowledge, tuple(tried_on(knowledge, folder, shown)))


def _mutate(material: Material, found: Casework, names: tuple[str, ...], propose: Path | None) -> bool:
    """Try every change, into `found`; return whether it came to the end."""
    from psoas.audit.casework.mutants import Mutations
    from psoas.audit.casework.survivors import Panel

    mutations = Mutations(material.knowledge)
    changes = list(mutations.all())
    if names:
        _known(names, material.knowledge)
        changes = [mutant for mutant in changes if mutant.item.id in names]
    original = _original(material.knowledge)
    if propose and original is None:
        raise Problem("--propose needs z3: pip install 'psoas[audit]'")
    panel = Panel(material.knowledge, (w.case for w in material.cases if w.case is not None))
    found.of, found.proves, found.changes = len(changes), original is not None, []
    try:
        for mutant in _bar(changes, "trying changes"):
            found.add(panel.tried(mutant, original))
        if propose is not None and original is not None:
            _propose(material, found, panel, original, propose)
    except KeyboardInterrupt:
        return False
    return True


def _original(knowledge: Knowledge) -> Original | None:
    try:
        from psoas.readings.prove.variants import Original
    except ImportError:
        return None
    return Original(knowledge)


def _known(names: Iterable[str], knowledge: Knowledge) -> None:
    from psoas.faults import suggest

    known = {**knowledge.rules, **knowledge.withholdings, **knowledge.remedies}
    for name in names:
        if name not in known:
            raise Problem(f"there is no rule or remedy {name!r}; {suggest(name, known)}")


def _bar(items: list[Any], label: str) -> Iterator[Any]:
    hidden = sys.stderr is None or not sys.stderr.isatty()
    with click.progressbar(items, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield from bar


def _propose(material: Material, found: Casework, panel: Panel, original: Original, target: Path) -> None:
    """Write a limit for each change that nothing notices, as far as one is found."""
    from psoas.audit.casework.proposing import Proposer

    bases = [w.case for w in material.cases if w.case is not None and not w.line]
    proposer = Proposer(panel, bases, original)
    texts: dict[str, None] = {}
    for tried in _bar(list(found.unnoticed), "looking for limits"):
        if panel.tried(tried.mutant).verdict == "unnoticed":  # not by a limit proposed since
            proposal = proposer.proposal(tried)
            if proposal is not None:
                panel.add(proposal.case)
                texts[proposal.text] = None
    write_file(target, "\n".join(texts).encode())
    click.echo(
        f"wrote {len(texts)} limits to {target}: what the rules say today; read each before you keep it", err=True
    )


def _shown(found: Casework, form: str) -> str:
    from psoas.audit.casework import report

    if form == "sarif":
        from psoas.audit.sarif import to_sarif

        return to_sarif(report.as_audit(found))
    return report.to_json(found) if form == "json" else report.to_text(found)
