"""`psoas audit prove`: every invariant for every possible case, and that each rule can fire."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import Problem, kb_option, write_file

if TYPE_CHECKING:
    from psoas.audit.invariants import Verdict
    from psoas.knowledge.model import Knowledge


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Write the breaking cases to DIR.")
@kb_option
def prove(form: str, output: Path | None, kb: Path | None) -> None:
    """Prove the sentences of invariants.yaml for every possible case, or show the smallest case that breaks one.

    Each finding is answered, unknown or not asked. Also proved is that each rule can fire. Exit 1 if anything fails.
    """
    try:
        from psoas.readings.prove.prover import Prover
    except ImportError as error:
        raise Problem("proofs need z3: pip install 'psoas[audit]'") from error
    from psoas.audit.invariants import read_invariants
    from psoas.knowledge.load import load

    knowledge = load(kb)
    invariants = read_invariants(knowledge, kb)
    if not invariants:
        raise Problem(f"{kb or 'the knowledge base'} has no invariants.yaml")
    prover = Prover(knowledge)
    verdicts = [*_verdicts(prover, invariants)]
    dead = prover.dead_rules()
    failed = [verdict for verdict in verdicts if verdict.result != "proved"]
    if form == "json":
        click.echo(json.dumps(_record(verdicts, dead), ensure_ascii=False, indent=2))
    else:
        for line in _told(knowledge, verdicts, dead):
            click.echo(line)
    if output is not None:
        _write_cases(knowledge, failed, output)
    if failed or dead:
        raise click.exceptions.Exit(1)


def _verdicts(prover: Any, invariants: Any) -> Iterator[Verdict]:
    from psoas.audit.invariants import proofs

    shows = sys.stderr.isatty()
    with click.progressbar(invariants, label="proving", file=sys.stderr, hidden=not shows) as bar:
        for invariant in bar:
            yield from proofs(prover, invariant)


def _told(knowledge: Knowledge, verdicts: list[Verdict], dead: list[str]) -> Iterator[str]:
    for verdict in verdicts:
        item = verdict.invariant
        about = f", {verdict.finding}" if verdict.finding else ""
        if verdict.result == "proved":
            yield f"proved     {item.id}{about}: {item.says}"
            continue
        yield f"{verdict.result:<10} {item.id}{about}: {item.says}"
        yield f"  {item.place}"
        if verdict.case is not None:
            yield "  the smallest case found that breaks it:"
            yield from (f"    {line}" for line in _case(knowledge, verdict).splitlines())
        else:
            yield f"  the solver could not tell: {verdict.reason}"
    for name in dead:
        yield f"dead       {name}: no case can make this rule fire"
        yield (
            f"  {knowledge.rules[name].place}" if name in knowledge.rules else f"  {knowledge.withholdings[name].place}"
        )
    count = sum(verdict.result == "proved" for verdict in verdicts)
    yield ""
    yield f"{count} of {len(verdicts)} sentences proved for every possible case; {len(dead)} rules can never fire."


def _case(knowledge: Knowledge, verdict: Verdict) -> str:
    from psoas.case import case_of, case_text

    name = "-".join(filter(None, ["breaks", verdict.invariant.id, verdict.finding]))
    return case_text(knowledge, case_of(name, verdict.case or {}, title=verdict.invariant.says))


def _write_cases(knowledge: Knowledge, failed: list[Verdict], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for verdict in failed:
            if verdict.case is not None:
                name = "-".join(filter(None, [verdict.invariant.id, verdict.finding]))
                write_file(folder / f"{name}.yaml", _case(knowledge, verdict).encode())
    except OSError as error:
        raise Problem(f"{folder}: cannot be written: {error.strerror}") from error


def _record(verdicts: list[Verdict], dead: list[str]) -> dict[str, Any]:
    from psoas.case import plain

    return {
        "format": "psoas.proofs/1",
        "invariants": [
            {
                "id": verdict.invariant.id,
                "says": verdict.invariant.says,
                "place": str(verdict.invariant.place),
                **({"finding": verdict.finding} if verdict.finding else {}),
                "result": verdict.result,
                "case": None if verdict.case is None else {n: plain(s) for n, s in sorted(verdict.case.items())},
            }
            for verdict in verdicts
        ],
        "dead_rules": dead,
    }
