"""The interview as a conversation: what is shown, what a typed line means, where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from psoas.answering import answers_to
from psoas.case import Refused, Rejection
from psoas.consultation import Consultation
from psoas.dossier import Dossier
from psoas.faults import nearest, quoted
from psoas.interview import Interviewer, Sheet, Step, Stop
from psoas.journal import Journal
from psoas.readings.phrase import listed
from psoas.telling.plain import to_text
from psoas.telling.questioning import how, noted, question, so_far, why

HELP = (
    ("?", "why this is asked"),
    ("how", "how to find out"),
    ("skip", "I do not know"),
    ("back", "the question before"),
    ("so far", "my answers, and what follows from them"),
    ("change …", "answer something again: change 3, change severity"),
    ("3 weeks", "a number may have a unit: 3 weeks, 1:30, 15 miles, 98.6 F"),
    ("quit", "stop here and show the advice as it stands"),
)
COMMANDS = {"?": "why", "why": "why", "how": "how", "back": "back", "b": "back", "so far": "so far", "sofar": "so far",
            "quit": "quit", "q": "quit", "exit": "quit", "help": "help", "h": "help"}  # fmt: skip


class Terminal(Protocol):
    """Where a conversation takes place: lines out, lines in."""

    def tell(self, text: str, lead: str = "") -> None:
        """Print `text`, wrapped, the first line led in by `lead`."""

    def show(self, text: str) -> None:
        """Print `text` as it is."""

    def ask(self, told: str) -> str:
        """Say what may be typed, and return the line that is."""

    def width(self) -> int:
        """Return the columns to use."""


@dataclass(frozen=True, slots=True)
class _Again:
    """A sheet that is asked once more."""

    sheet: Sheet
    place: int | None = None  # among the sheets asked, where `back` led to it; None: `change` did


class Conversation:
    """One interview: asks, understands, keeps, and gives the answers back."""

    def __init__(
        self,
        interviewer: Interviewer,
        dossier: Dossier,
        journal: Journal,
        terminal: Terminal,
        *,
        only_safety: bool = False,
    ) -> None:
        self.interviewer = interviewer
        self.knowledge = interviewer.knowledge
        self.dossier = dossier
        self.journal = journal
        self.terminal = terminal
        self.only_safety = only_safety
        self._again: _Again | None = None
        self._told_of_trouble = ""

    def run(self) -> Stop:
        """Ask until nothing more can change the advice, or the person has had enough; return why it stopped."""
        self.tell(
            f"Type ? to hear why something is asked, skip where you do not know, help for more. Ctrl-C breaks off"
            f"{'' if self.journal.trouble else '; no answer is lost'}."
        )
        while True:
            step = self._next()
            if step.sheet is None:
                return step.stopped
            self._show(step, step.sheet)
            if not self._converse(step.sheet):
                return "enough"

    def consultation(self) -> Consultation:
        """Return what follows from the answers so far."""
        return self.interviewer.consultant.consult(self.dossier.case)

    def tell(self, text: str, lead: str = "") -> None:
        """Print `text`."""
        self.terminal.tell(text, lead)

    def save(self) -> None:
        """Put the case on disk; where that fails, say so once, and go on."""
        if self.journal.write(self.dossier.text()):
            if self._told_of_trouble:
                self.tell("Now the answers could be written; all of them are on disk.")
            self._told_of_trouble = ""
        elif self._told_of_trouble != self.journal.trouble:
            self._told_of_trouble = self.journal.trouble
            self.tell(
                f"Your answers cannot be written to disk: {self.journal.trouble}. The interview goes on, but if it is "
                f"broken off now, what could not be written is lost. They would go to:"
            )
            self.terminal.show(f"{self.journal.path}\n")

    # asking

    def _next(self) -> Step:
        if self._again is not None:
            return Step(self._again.sheet)
        return self.interviewer.step(self.dossier.case.answers, only_safety=self.only_safety)

    def _show(self, step: Step, sheet: Sheet) -> None:
        heading, lines, _ = question(self.knowledge, sheet)
        self.terminal.show("\n")
        if self._again is None:
            kind = "safety question" if step.safety else "question"
            left = "this may be the last one" if step.left == 1 else f"about {step.left} to go"
            self.tell(f"[{kind} {len(self.dossier.asked) + 1}; {left}]")
        else:
            given = {name: self.dossier.answers[name] for name in sheet.findings}
            self.tell(f"[once more; your answer was: {noted(self.knowledge, given)}]")
        self.tell(heading)
        for line in lines:
            self.tell(line.text, line.lead)
        if len(sheet.findings) == 1 and self.dossier.applies(sheet.findings[0]) is None:
            self.tell("By what you left open, this may not concern you; then skip it.")

    def _converse(self, sheet: Sheet) -> bool:
        """Read lines until one answers, or leads elsewhere; return False for `quit`."""
        told = question(self.knowledge, sheet)[2] + ("; Enter leaves your answer as it is" if self._again else "")
        while True:
            typed = self.terminal.ask(told)
            word = " ".join(typed.lower().split())
            command = "change" if word.split(" ")[0] == "change" else COMMANDS.get(word, "")
            if command == "quit":
                return False
            if command == "back":
                moved = self._back()
            elif command == "change":
                moved = self._change(word.removeprefix("change").strip())
            elif command:
                moved = self._answer_command(command, sheet)
            else:
                moved = self._take(sheet, typed)
            if moved:
                return True

    def _take(self, sheet: Sheet, typed: str) -> bool:
        """Take `typed` as the answer to `sheet`; return whether it was one."""
        if self._again is not None and not typed.strip():
            self._again = None
            self.tell("Left as it was.")
            return True
        try:
            given = answers_to(self.knowledge, sheet.findings, typed)
        except Refused as refusal:
            self.tell(f"That was not understood: {refusal}.".replace("?.", "?"))
            return False
        self._again = None
        change = self.dossier.keep(given)
        self.save()
        self.tell(f"Noted: {noted(self.knowledge, given)}.")
        for name in change.dropped:
            self.tell(f"Dropped, as it makes no sense now: {self.knowledge.findings[name].name}.")
        self._tell_clashes(change.clashes)
        return True

    def _tell_clashes(self, clashes: tuple[Rejection, ...]) -> None:
        for reason in dict.fromkeys(item.reason for item in clashes):
            names = [self.knowledge.findings[item.finding].name for item in clashes if item.reason == reason]
            self.tell(
                f"These answers cannot all be right: {reason}. As long as that is so, {listed(names)} "
                f"{'counts' if len(names) == 1 else 'count'} as not known. To answer again, type "
                f"{listed([f'“change {name}”' for name in names], 'or')}."
            )

    # commands

    def _answer_command(self, command: str, sheet: Sheet) -> bool:
        if command == "help":
            for name, meaning in HELP:
                self.tell(meaning, f"  {name:<10}")
        elif command == "how":
            for text in how(self.knowledge, sheet):
                self.tell(text)
        elif command == "why":
            for text in self._reasons(sheet):
                self.tell(text)
        elif command == "so far":
            text = to_text(so_far(self.consultation(), self.dossier.answers), width=self.terminal.width())
            self.terminal.show(text)
        return False

    def _reasons(self, sheet: Sheet) -> list[str]:
        """Return why `sheet` is asked, as if it had not been answered yet."""
        others = {name: state for name, state in self.dossier.case.answers.items() if name not in sheet.findings}
        reasons = list(why(self.knowledge, self.interviewer.waiting(sheet, others)))
        if not reasons and self._again is not None:
            return ["You answered it before; by the other answers nothing hangs on it now."]
        return reasons or ["It may decide which cause is named first."]

    def _back(self) -> bool:
        """Go to the sheet before this one; from a `change`, to where it was typed."""
        if self._again is not None and self._again.place is None:
            self._again = None
            return True
        place = (len(self.dossier.asked) if self._again is None or self._again.place is None else self._again.place) - 1
        if place < 0:
            self.tell("This is the first question.")
            return False
        findings = self.dossier.asked[place]
        self._again = _Again(Sheet(findings, self.interviewer.heading(findings)), place)
        return True

    def _change(self, wanted: str) -> bool:
        """Ask again what `wanted` names: the number of an answer in `so far`, or the name of a question."""
        found = self.dossier.named(wanted)
        if len(found) == 1:
            self._again = _Again(Sheet(found))
            return True
        names = [self.knowledge.findings[name].name for name in found or self.dossier.answers]
        close = nearest(wanted, names)
        if found:
            self.tell(f"{quoted(wanted)} could be: {'; '.join(names)}.")
        elif not names:
            self.tell("Nothing was answered yet.")
        elif not wanted:
            self.tell("Change what? “so far” lists your answers, with numbers.")
        else:
            hint = f"did you mean {close[0]}?" if close else "“so far” lists your answers, with numbers."
            self.tell(f"There is no answer called {quoted(wanted)}; {hint}")
        return False
