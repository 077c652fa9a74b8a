"""Interviews at a terminal: lines in, lines out, nothing redrawn, so that a screen reader follows."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import textwrap
from pathlib import Path

import click

from psoas.case import Case, read_case
from psoas.consultation import Consultant
from psoas.dossier import Dossier
from psoas.faults import visible
from psoas.interview import Interview, Interviewer, Stop
from psoas.journal import Journal, NoJournal
from psoas.knowledge.model import Knowledge
from psoas_cli.conversation import Conversation
from psoas_cli.screen import printable, width


class ErrorStream:
    """The terminal: what is said goes to standard error, so that the advice can be piped; what is typed is read."""

    def __init__(self) -> None:
        if isinstance(sys.stdin, io.TextIOWrapper):  # bytes that are no text are a slip of the fingers, not the end
            sys.stdin.reconfigure(errors="replace")

    def tell(self, text: str, lead: str = "") -> None:
        """Print `text`, wrapped to the terminal as it is now, the first line led in by `lead`."""
        inner = " " * len(lead)
        lines = textwrap.wrap(visible(text), self.width(), initial_indent=lead, subsequent_indent=inner)
        self.show("\n".join(lines or [""]) + "\n")

    def show(self, text: str) -> None:
        """Print `text` as it is."""
        click.echo(printable(text, sys.stderr), err=True, nl=False)

    def ask(self, told: str) -> str:
        """Say what may be typed, and return the line that is. Raises `click.Abort` where there is none."""
        self.tell(told)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # older versions of click write a blank there
                return str(click.prompt("", prompt_suffix="> ", default="", show_default=False, err=True))
        except OSError as error:  # the terminal has gone
            raise click.Abort from error

    def width(self) -> int:
        """Return the columns to use."""
        return width(sys.stderr)


def interviewed(consultant: Consultant, *, resume: bool) -> tuple[Case, Interview]:
    """Hold an interview, or go on with the last one; return the case and how it went."""
    folder, case, terminal = _folder(consultant.knowledge), Case("interview"), ErrorStream()
    if resume:
        try:
            journal = Journal.resume(folder)
        except NoJournal as error:
            raise click.UsageError(f"there is no interview to go on with: {error}") from error
        case = read_case(consultant.knowledge, journal.path)
    else:
        journal = Journal.begin(folder)
    conversation = Conversation(Interviewer(consultant), Dossier(consultant, case), journal, terminal)
    if resume:
        conversation.dossier.resume()
        said = f"{len(case.answers)} answer{'s' if len(case.answers) != 1 else ''}"
        conversation.tell(
            f"Going on with the interview of {journal.written:%d.%m.%Y, %H:%M}, after {said}; “so far” shows them. "
            f"“change” answers again what is different by now."
        )
    if journal.trouble:
        conversation.save()
    stopped = _held(conversation, resumable=True)
    case = conversation.dossier.case
    return case, Interview(case.answers, tuple(conversation.dossier.asked), stopped)


def completed(consultant: Consultant, case: Case) -> Case:
    """Offer to ask the safety questions that `case` leaves open; return it with the answers."""
    interviewer = Interviewer(consultant)
    step = interviewer.step(case.answers, only_safety=True)
    if step.sheet is None or consultant.consult(case).level.alone:  # then nothing comes before the advice
        return case
    terminal = ErrorStream()
    terminal.tell("This case leaves safety questions open, and without them little can be advised.")
    if not _agreed(terminal, f"Answer them now? About {step.left} to go."):
        return case
    journal = Journal.begin(_folder(consultant.knowledge))
    conversation = Conversation(interviewer, Dossier(consultant, case), journal, terminal, only_safety=True)
    _held(conversation, resumable=False)
    return conversation.dossier.case


def _folder(knowledge: Knowledge) -> Path:
    """Return where the interviews with one knowledge base are kept; another one could not go on with them."""
    from platformdirs import user_state_path

    title = re.sub(r"[^a-z0-9]+", "-", knowledge.manifest.title.lower()).strip("-")
    return user_state_path("psoas", appauthor=False) / (title[:60] or "interviews")


def _agreed(terminal: ErrorStream, asks: str) -> bool:
    """Return whether the person agrees; Enter does."""
    try:
        while True:
            typed = terminal.ask(f"{asks} yes or no; Enter says yes").strip().lower()
            if typed in ("", "y", "yes", "n", "no", "q", "quit"):
                return typed in ("", "y", "yes")
    except click.Abort as abort:
        raise _broken_off(abort) from abort


def _held(conversation: Conversation, *, resumable: bool) -> Stop:
    """Hold the interview; say where the answers are, and how it ended."""
    try:
        stopped = conversation.run()
    except (click.Abort, KeyboardInterrupt) as abort:
        _end(conversation, "Broken off.", resumable=resumable)
        _warn(conversation)
        raise _broken_off(abort) from abort
    _end(conversation, ENDED[stopped], resumable=resumable and stopped == "enough")
    conversation.terminal.show("\n")
    return stopped


def _warn(conversation: Conversation) -> None:
    """Say what cannot wait, where the answers before Ctrl-C come to that."""
    level = conversation.interviewer.consultant.consult(conversation.dossier.case).level
    if level.alone:
        conversation.terminal.show("\n")
        for text in (level.name, *level.says):
            conversation.tell(text)


def _broken_off(abort: BaseException) -> click.exceptions.Exit:
    """Return the end of the program after Ctrl-C or the end of what is typed."""
    interrupted = isinstance(abort, KeyboardInterrupt) or isinstance(abort.__context__, KeyboardInterrupt)
    return click.exceptions.Exit(130 if interrupted else 1)


def _end(conversation: Conversation, said: str, *, resumable: bool) -> None:
    """Say how the interview ended and where its answers are."""
    journal, terminal = conversation.journal, conversation.terminal
    if resumable:
        journal.release()
    else:
        journal.finish()
    terminal.show("\n")
    terminal.tell(said)
    if not journal.kept:
        if journal.trouble and conversation.dossier.answers:
            terminal.tell(f"The answers could not be written to disk: {journal.trouble}.")
        return
    terminal.tell(f"Your answers{', but for the latest,' if journal.trouble else ''} are kept as a case file:")
    terminal.show(f"{journal.path}\n")
    if said != ENDED["emergency"]:  # then nothing stands between the person and the advice
        again = "“psoas consult --resume” goes on with it" if resumable else "“psoas consult FILE” reads it again"
        terminal.tell(f"{again}; delete it if you do not want it kept.")


ENDED: dict[str, str] = {
    "emergency": "No more questions: this needs help now.",
    "settled": "That is all: no question left out could change how urgent it is, the leading cause or what to do.",
    "exhausted": "That is all that can be asked. What you could not answer stays open, and the advice says so.",
    "enough": "Stopped here. The advice rests on what was answered, and says what is still open.",
}
"""How an interview ended → what the person is told."""
