"""Interviews at a terminal: lines in, lines out, nothing redrawn, so that a screen reader follows."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import sys
import textwrap
from pathlib import Path

import click

from psoas.case import Case, Rejection, recover_case
from psoas.consultation import Consultant
from psoas.dossier import Dossier
from psoas.faults import Unusable, quoted, visible
from psoas.interview import Interview, Interviewer, Stop
from psoas.journal import Journal, NoJournal
from psoas.knowledge.model import Knowledge
from psoas.telling.questioning import still_open
from psoas_cli.conversation import Conversation
from psoas_cli.output import Problem, is_terminal
from psoas_cli.terminal import printable, width


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
        """Say what may be typed, and return the line that is. Raises `click.Abort` where there is none.

        A line typed before that is no answer to it (the second of two pasted lines, say) and is not taken.
        """
        early = [quoted(line) for line in self._typed_before() if line.strip()]
        if early:
            more = f" and {len(early) - FEW_LINES} more" if len(early) > FEW_LINES else ""
            self.tell(f"Typed before this was asked, and not taken: {', '.join(early[:FEW_LINES])}{more}.")
        self.tell(told)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # older versions of click write a blank there
                return str(click.prompt("", prompt_suffix="> ", default="", show_default=False, err=True))
        except OSError as error:  # the terminal has gone
            raise click.Abort from error

    def _typed_before(self) -> list[str]:
        """Take the lines that wait to be read, and return them. Raises `click.Abort` at the end of what is typed.

        None where no person types: the lines of a file or a pipe are the answers, each in its turn.
        """
        if not is_terminal(sys.stdin):
            return []
        typed, wait = b"", 0.0
        while _waits(wait):
            part = os.read(sys.stdin.fileno(), 65536)
            if not part:
                raise click.Abort
            typed, wait = typed + part, MOMENT
        return typed.decode("utf-8", "replace").splitlines()

    def width(self) -> int:
        """Return the columns to use."""
        return width(sys.stderr)


def _waits(seconds: float) -> bool:
    """Tell whether a line waits to be read, or comes within so many seconds."""
    try:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
    except (OSError, ValueError):  # the terminal has gone, or is none that can be asked, as on Windows
        return False


def interviewed(consultant: Consultant, *, resume: bool, advises: bool) -> tuple[Case, Interview]:
    """Hold an interview, or go on with the last one; return the case and how it went.

    `advises` says whether the advice will stand on the same terminal; if not, what cannot wait is said here.
    """
    folder, case, terminal = _folder(consultant.knowledge), Case("interview"), ErrorStream()
    lost: tuple[Rejection, ...] = ()
    if resume:
        try:
            journal = Journal.resume(folder)
        except NoJournal as error:
            raise click.UsageError(f"there is no interview to go on with: {error}") from error
        try:
            case, lost = recover_case(consultant.knowledge, journal.path)
        except Unusable as error:
            journal.release()
            raise Problem(
                f"{error}\nMove that file away, and --resume goes on with the interview before it."
            ) from error
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
    _tell_lost(conversation, lost)
    if journal.trouble:
        conversation.save()
    stopped = _held(conversation, resumable=True, advises=advises)
    case = conversation.dossier.case
    return case, Interview(case.answers, tuple(conversation.dossier.asked), stopped)


def _tell_lost(conversation: Conversation, lost: tuple[Rejection, ...]) -> None:
    """Say which answers the knowledge base, changed since, does not take any more."""
    findings = conversation.knowledge.findings
    gone = [item.finding for item in lost if item.finding not in findings]
    again = [f"{findings[item.finding].name} (it was {item.value})" for item in lost if item.finding in findings]
    if lost:
        conversation.tell("The questions have changed since then.")
    if gone:
        conversation.tell(f"No longer asked, and left out: {', '.join(gone)}.")
    if again:
        conversation.tell(f"To be answered again, if it still matters: {', '.join(again)}.")


def completed(consultant: Consultant, case: Case, *, advises: bool) -> Case:
    """Offer to ask the safety questions that `case` leaves open; return it with the answers. `advises`: as above."""
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
    _held(conversation, resumable=False, advises=advises)
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
        if not _interrupted(abort):  # Ctrl-D: nothing more will be typed, but the advice is wanted
            terminal.show("\n")
            return False
        raise _broken_off(abort) from abort


def _held(conversation: Conversation, *, resumable: bool, advises: bool) -> Stop:
    """Hold the interview; say where the answers are, and how it ended."""
    try:
        stopped = conversation.run()
    except (click.Abort, KeyboardInterrupt) as abort:
        _end(conversation, "Broken off.", resumable=resumable)
        _warn(conversation)
        raise _broken_off(abort) from abort
    _end(conversation, ENDED[stopped], resumable=resumable and stopped == "enough")
    if not advises:
        _warn(conversation)
    conversation.terminal.show("\n")
    return stopped


def _warn(conversation: Conversation) -> None:
    """Say what cannot wait, where the answers come to that and the advice does not stand here."""
    level = conversation.consultation().level
    if level.screened:
        conversation.terminal.show("\n")
        for text in (level.name, *level.says):
            conversation.tell(text)


def _broken_off(abort: BaseException) -> click.exceptions.Exit:
    """Return the end of the program after Ctrl-C or the end of what is typed."""
    return click.exceptions.Exit(130 if _interrupted(abort) else 1)


def _interrupted(abort: BaseException) -> bool:
    return isinstance(abort, KeyboardInterrupt) or isinstance(abort.__context__, KeyboardInterrupt)


def _end(conversation: Conversation, said: str, *, resumable: bool) -> None:
    """Say how the interview ended and where its answers are."""
    journal, terminal = conversation.journal, conversation.terminal
    if resumable:
        journal.release()
    else:
        journal.finish()
    terminal.show("\n")
    terminal.tell(said)
    if said == ENDED["enough"]:
        for text in still_open(conversation.consultation()):
            terminal.tell(text)
    if not journal.kept:
        if journal.trouble and conversation.dossier.answers:
            terminal.tell(f"The answers could not be written to disk: {journal.trouble}.")
        return
    terminal.tell(f"Your answers{', but for the latest,' if journal.trouble else ''} are kept as a case file:")
    terminal.show(f"{journal.path}\n")
    if said != ENDED["emergency"]:  # then nothing stands between the person and the advice
        again = "“psoas consult --resume” goes on with it" if resumable else "“psoas consult FILE” reads it again"
        terminal.tell(f"{again}; delete it if you do not want it kept.")


MOMENT = 0.05
"""Seconds in which the next line of something pasted comes."""
FEW_LINES = 3
"""How many lines typed too early are shown."""
ENDED: dict[str, str] = {
    "emergency": "No more questions: this needs help now.",
    "settled": "That is all: no question left out could change how urgent it is, the leading cause or what to do.",
    "exhausted": "That is all that can be asked. What you could not answer stays open, and the advice says so.",
    "enough": "Stopped here. The advice rests on what was answered.",
}
"""How an interview ended → what the person is told."""
