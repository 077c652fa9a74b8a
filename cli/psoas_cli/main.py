"""The commands. Each imports what it needs when it runs, so that `--help` costs no more than click itself."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from psoas_cli.output import Problem, is_terminal, kb_option, laid_out, write

if TYPE_CHECKING:
    from psoas.case import Case
    from psoas.consultation import Consultant, Consultation
    from psoas.interview import Interview

GRAPH_FORMATS = ("svg", "png", "pdf", "gv", "dot", "mmd", "graphml", "json")


class Later(click.Group):
    """A group with commands that are imported when they are called, or listed."""

    LATER: ClassVar[dict[str, str]] = {}
    """Command → the module that has it, under the command's name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self.LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in self.LATER:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(self.LATER[cmd_name]), cmd_name)
        return command


class Commands(Later):
    """The commands: a group that turns what the library raises into messages."""

    LATER: ClassVar[dict[str, str]] = {"screen": "psoas_cli.screening"}

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise click.exceptions.Exit(130) from interrupt
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from psoas.faults import Unusable

            if not isinstance(error, Unusable):
                raise
            raise Problem(str(error)) from error


def version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from psoas import __version__

        click.echo(f"psoas {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=version, help="Show the version.")
def psoas() -> None:
    """An expert system for low back pain in runners: what may be behind it, what to do, and why.

    Information, not a diagnosis. If you have lost control or feeling of bladder or bowel, have numbness between the
    legs or a leg that gets weak: stop reading and get emergency help.
    """


@psoas.command()
@click.argument("case", metavar="[CASE|-]", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option("--save", type=click.Path(path_type=Path), metavar="CASE", help="Save the case as a case file.")
@click.option("--no-input", is_flag=True, help="Never ask anything.")
@click.option("--resume", is_flag=True, help="Go on with the interview that was broken off last.")
@click.option("--replay", is_flag=True, help="Hold the interview with CASE answering instead of a person.")
@kb_option
def consult(
    case: Path | None,
    form: str,
    output: Path | None,
    save: Path | None,
    no_input: bool,
    resume: bool,
    replay: bool,
    kb: Path | None,
) -> None:
    """Consult on the case in the file CASE (`-`: standard input), or, without CASE, on your own: it asks.

    Prints how urgent it is, the likely causes, what to do and what not, and why. On a terminal it offers to ask the
    safety questions that CASE leaves open.
    """
    asks = not no_input and all(map(is_terminal, (sys.stdin, sys.stderr)))
    if replay and case is None:
        raise Problem("--replay needs a CASE that answers")
    if resume and (case is not None or replay):
        raise Problem("--resume goes on with an interview of its own; leave CASE out")
    if case is None and not asks:
        what = "an interview needs a terminal" if resume or is_terminal(sys.stdin) else "give a case file"
        raise Problem(f"{what} (- reads a case from standard input); `psoas consult --help` shows how")
    if case is None:
        for target in (output, save):  # said before the first question, not after the last
            if target is not None and not target.parent.is_dir():
                raise Problem(f"{target}: cannot be written: there is no folder {target.parent}")
    from psoas.consultation import Consultant
    from psoas.knowledge.load import load

    consultant = Consultant(load(kb))
    interview, advises = None, output is None and form != "json" and is_terminal(sys.stdout)
    if case is None:
        from psoas_cli.dialogue import interviewed

        chosen, interview = interviewed(consultant, resume=resume, advises=advises)
    else:
        from psoas.case import read_case

        chosen = read_case(consultant.knowledge, None if str(case) == "-" else case)
        if replay:
            chosen, interview = replayed(consultant, chosen)
        elif asks and str(case) != "-":
            from psoas_cli.dialogue import completed

            chosen = completed(consultant, chosen, advises=advises)
    write(output, shown(consultant.consult(chosen), form, terminal=output is None, interview=interview))
    if save:  # after the advice, which must come out even if this fails
        from psoas.case import case_text

        write(save, case_text(consultant.knowledge, chosen))


@psoas.command()
@click.argument("case", metavar="CASE", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("name", metavar="ID")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@kb_option
def explain(case: Path, name: str, form: str, kb: Path | None) -> None:
    """Explain how ID came about in CASE, or why it did not.

    ID is a conclusion, remedy, disposition, rule, disagreement or finding.
    """
    consultation = consulted(case, kb)
    from psoas.telling.explanation import explanation

    write(None, laid_out(explanation(consultation, name), form, terminal=True))


@psoas.command()
@click.argument("case", metavar="CASE", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The picture; its suffix is the format.",
)
@click.option("--format", "form", type=click.Choice(GRAPH_FORMATS), help="The format; without -o to standard output.")
@click.option("--of", "of", metavar="ID", help="Only what leads to ID.")
@click.option("--why-not", is_flag=True, help="Also the rules that nearly fired, as ghosts, and what they lacked.")
@click.option("--causal", is_flag=True, help="The cause-effect graph of the knowledge base itself, without a case.")
@kb_option
def graph(
    case: Path | None,
    output: Path | None,
    form: str | None,
    of: str | None,
    why_not: bool,
    causal: bool,
    kb: Path | None,
) -> None:
    """Draw the reasoning of CASE: from what was reported, over its causes, to each remedy."""
    form = form or (output.suffix.lstrip(".").lower() if output else "")
    if form not in GRAPH_FORMATS:
        wanted = f"no format is called {form!r}; " if form else ""
        raise Problem(f"{wanted}give -o FILE with one of these suffixes, or --format: {', '.join(GRAPH_FORMATS)}")
    if causal == (case is not None):
        raise Problem("give either a CASE or --causal")
    from psoas.drawing import render
    from psoas.picture import case_picture, causal_picture

    if case is None:
        from psoas.knowledge.load import load

        picture = causal_picture(load(kb), of=of)
    else:
        picture = case_picture(consulted(case, kb), of=of, why_not=why_not)
    write(output, render(picture, form))


class Workbench(Later):
    """The commands of `audit`."""

    LATER: ClassVar[dict[str, str]] = {
        "cases": "psoas_cli.casework",
        "check": "psoas_cli.auditing",
        "coverage": "psoas_cli.auditing",
        "diff": "psoas_cli.comparing",
        "prove": "psoas_cli.proving",
        "review": "psoas_cli.reviewing",
        "schema": "psoas_cli.auditing",
        "show": "psoas_cli.reviewing",
        "status": "psoas_cli.reviewing",
    }


@psoas.group(cls=Workbench)
def audit() -> None:
    """Read, check and complete the knowledge base as its expert."""


def replayed(consultant: Consultant, case: Case) -> tuple[Case, Interview]:
    """Return `case` with only the answers an interview would have asked for, and that interview."""
    import dataclasses

    from psoas.interview import Interviewer, replay

    interview = replay(Interviewer(consultant), case)
    answers = {name: interview.answers[name] for name in sorted(interview.answers)}
    rejected = tuple(item for item in case.rejected if item.finding in answers)
    return dataclasses.replace(case, answers=answers, rejected=rejected), interview


def consulted(case: Path, kb: Path | None) -> Consultation:
    """Return the consultation of the case file `case` (`-`: standard input)."""
    from psoas.case import read_case
    from psoas.consultation import Consultant
    from psoas.knowledge.load import load

    consultant = Consultant(load(kb))
    return consultant.consult(read_case(consultant.knowledge, None if str(case) == "-" else case))


def shown(consultation: Consultation, form: str, *, terminal: bool, interview: Interview | None = None) -> str:
    """Return the consultation in one of the formats."""
    if form == "json":
        from psoas.telling.record import to_json

        return to_json(consultation, interview)
    from psoas.telling.advice import advice

    return laid_out(advice(consultation), form, terminal=terminal)


def main() -> None:
    """Run the command line."""
    gc.disable()  # a run is short, and what it builds lives to its end
    try:
        psoas(prog_name="psoas")
    finally:
        gc.freeze()  # or the last collection, when Python ends, walks over everything once more


if __name__ == "__main__":
    main()
