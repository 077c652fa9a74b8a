"""`psoas audit prove`: every invariant for every possible case, and that each rule can fire."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import Problem, is_terminal, kb_option, write, write_file

if TYPE_CHECKING:
    from psoas.audit.invariants import Verdict
    from psoas.case import Case
    from psoas.knowledge.model import Invariant, Knowledge
    from psoas.memory import State
    from psoas.readings.prove.prover import Prover


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Write the breaking cases to DIR.")
@kb_option
def prove(form: str, output: Path | None, kb: Path | None) -> None:
    """Prove the sentences of invariants.yaml for every possible case, or show the smallest case that breaks one.

    Each finding is answered, unknown or not asked. Also proved is that each rule can fire. Exit 1 if anything fails.
    Ctrl-C stops, and what was found until then is shown.
    """
    try:
        from psoas.readings.prove.prover import Prover
    except ImportError as error:
        raise Problem("proofs need z3: pip install 'psoas[audit]'") from error
    from psoas.audit.sentences import read_invariants
    from psoas.knowledge.load import load

    knowledge = load(kb)
    invariants = read_invariants(knowledge, kb)
    if not invariants:
        raise Problem(f"{kb or 'the knowledge base'} has no invariants.yaml")
    proof = Proof(knowledge, invariants)
    stopped = False
    try:
        proof.run(Prover(knowledge))
    except KeyboardInterrupt:
        stopped = True
    shown = proof.record(stopped=stopped) if form == "json" else proof.text(stopped=stopped)
    write(None, shown)
    if output is not None:
        proof.write_cases(output)
    if stopped:
        raise click.exceptions.Exit(130)
    if proof.failed or proof.dead or proof.undecided:
        raise click.exceptions.Exit(1)


@dataclass
class Proof:
    """What was found of the sentences and the rules of a knowledge base, as far as it got."""

    knowledge: Knowledge
    invariants: tuple[Invariant, ...]
    verdicts: list[Verdict] = field(default_factory=list)
    open: list[str] = field(default_factory=list)  # sentences not reached
    reached: dict[str, bool | None] = field(default_factory=dict)  # rule → whether it can fire

    def run(self, prover: Prover) -> None:
        """Prove everything, with a progress bar on a terminal."""
        from psoas.audit.invariants import proofs

        self.open = [item.id for item in self.invariants]
        shows = is_terminal(sys.stderr)
        steps = len(self.invariants) + len(prover.rules)
        with click.progressbar(length=steps, label="proving", file=sys.stderr, hidden=not shows) as bar:
            for invariant in self.invariants:
                self.verdicts += proofs(prover, invariant)
                self.open.remove(invariant.id)
                bar.update(1)
            for name, fires in prover.reach():
                self.reached[name] = fires
                bar.update(1)

    @property
    def failed(self) -> list[Verdict]:
        """The sentences that are broken or undecided."""
        return [verdict for verdict in self.verdicts if verdict.result != "proved"]

    @property
    def dead(self) -> list[str]:
        """The rules that no case can make fire."""
        return [name for name, fires in self.reached.items() if fires is False]

    @property
    def undecided(self) -> list[str]:
        """The rules of which the solver could not tell."""
        return [name for name, fires in self.reached.items() if fires is None]

    # what is shown

    def text(self, *, stopped: bool) -> str:
        """Return what was found as text for people."""
        lines = [line for verdict in self.verdicts for line in self._told(verdict)]
        for name, how in [*((n, "dead") for n in self.dead), *((n, "undecided") for n in self.undecided)]:
            said = "no case can make this rule fire" if how == "dead" else "the solver could not tell if it can fire"
            lines += [f"{how:<10} {name}: {said}", f"  {self._place(name)}"]
        if self.failed:
            lines += ["", "What to do: see what the case gets with psoas consult CASE (-o DIR writes the case files), "]
            lines[-1] += "and why with psoas explain CASE ID;"
            lines += [
                "mend the rule that lets it through. The sentence is changed only after somebody agreed in words."
            ]
        if self.dead:
            lines += ["", "What to do: docs/audit/dead-rule.md"]
        proved = sum(verdict.result == "proved" for verdict in self.verdicts)
        lines += ["", f"{proved} of {len(self.verdicts)} sentences proved for every possible case; "]
        lines[-1] += f"{len(self.dead)} rules can never fire."
        if stopped:
            lines.append(
                f"Stopped: {len(self.open)} of {len(self.invariants)} sentences were not looked at, and "
                f"{len(self.reached)} rules were."
            )
        return "\n".join(lines) + "\n"

    def _place(self, name: str) -> str:
        item = self.knowledge.rules.get(name) or self.knowledge.withholdings[name]
        return str(item.place)

    def _told(self, verdict: Verdict) -> Iterator[str]:
        item = verdict.invariant
        about = f", {verdict.finding}" if verdict.finding else ""
        yield f"{verdict.result:<10} {item.id}{about}: {item.says}"
        if verdict.result == "proved":
            return
        yield f"  {item.place}"
        if verdict.case is None:
            yield f"  the solver could not tell: {verdict.reason}"
            return
        yield f"  the smallest case found that breaks it gets {self._level(verdict.case)}:"
        yield from (f"    {line}" for line in self._case(verdict, verdict.name).splitlines())
        if verdict.after:
            yield f"  and {self._level({**verdict.case, **verdict.after})} as soon as it answers:"
            answers = self._made("", verdict.after)
            yield from (f"    {line}" for line in self._file(answers).partition("answers:\n")[2].splitlines())

    def _level(self, answers: Mapping[str, State]) -> str:
        from psoas.consultation import Consultant

        return Consultant(self.knowledge).consult(self._made("", answers)).level.id

    def _made(self, name: str, answers: Mapping[str, State], title: str = "") -> Case:
        from psoas.case import case_of

        return case_of(name, answers, title=title)

    def _file(self, case: Case) -> str:
        from psoas.case import case_text

        return case_text(self.knowledge, case)

    def _case(self, verdict: Verdict, name: str, after: Mapping[str, State] | None = None) -> str:
        answers = {**(verdict.case or {}), **(after or {})}
        return self._file(self._made(f"breaks-{name}", answers, verdict.invariant.says))

    def write_cases(self, folder: Path) -> None:
        """Write the cases that break sentences to `folder`, each with the one that it becomes, if there is one."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for verdict in self.failed:
                if verdict.case is not None:
                    write_file(folder / f"{verdict.name}.yaml", self._case(verdict, verdict.name).encode())
                if verdict.after:
                    name = f"{verdict.name}-after"
                    write_file(folder / f"{name}.yaml", self._case(verdict, name, verdict.after).encode())
        except OSError as error:
            raise Problem(f"{folder}: cannot be written: {error.strerror}") from error

    def record(self, *, stopped: bool) -> str:
        """Return what was found as the JSON object `psoas.proofs/1`."""
        told = {
            "format": "psoas.proofs/1",
            "invariants": [self._recorded(verdict) for verdict in self.verdicts],
            "dead_rules": self.dead,
            "undecided_rules": self.undecided,
            "stopped": stopped,
            "not_reached": self.open,
        }
        return json.dumps(told, ensure_ascii=False, indent=2) + "\n"

    def _recorded(self, verdict: Verdict) -> dict[str, Any]:
        from psoas.case import plain

        told: dict[str, Any] = {"id": verdict.invariant.id, "says": verdict.invariant.says}
        told["place"] = str(verdict.invariant.place)
        if verdict.finding:
            told["finding"] = verdict.finding
        told |= {"result": verdict.result, "case": None}
        if verdict.case is not None:
            told |= {"case": _plain(verdict.case, plain), "disposition": self._level(verdict.case)}
        if verdict.case is not None and verdict.after:
            told |= {"after": _plain(verdict.after, plain)}
            told |= {"disposition_after": self._level({**verdict.case, **verdict.after})}
        return told


def _plain(answers: Mapping[str, State], plain: Any) -> dict[str, Any]:
    return {name: plain(state) for name, state in sorted(answers.items())}
