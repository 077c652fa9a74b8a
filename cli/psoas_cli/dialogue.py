"""The interview with a person at a terminal: lines in, lines out, nothing redrawn, so that a screen reader follows."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

import click

from psoas.answering import answers_to, is_checklist
from psoas.case import Case, Refused, as_written, case_text, make_case, read_case
from psoas.consultation import Consultant
from psoas.faults import nearest, visible
from psoas.interview import Interview, Interviewer, Sheet, Step, Stop
from psoas.journal import Journal, NoJournal
from psoas.memory import State, WorkingMemory
from psoas.readings.phrase import Phrases
from psoas.telling.plain import to_text
from psoas.telling.questioning import how, question, so_far, why

HELP = (
    ("?", "why this is asked"),
    ("how", "how to find out"),
    ("skip", "I do not know"),
    ("back", "the question before"),
    ("so far", "my answers, and what follows from them"),
    ("change …", "answer something again: change 3, change severity"),
    ("quit", "stop here and show the advice as it stands"),
)
COMMANDS = {"?": "why", "why": "why", "how": "how", "back": "back", "b": "back", "so far": "so far", "sofar": "so far",
            "quit": "quit", "q": "quit", "exit": "quit", "help": "help", "h": "help"}  # fmt: skip


class Dialogue:
    """One interview: asks, understands, keeps, and gives the answers back."""

    def __init__(self, interviewer: Interviewer, journal: Journal, case: Case, *, only_safety: bool = False) -> None:
        """`case` holds what is known before the first question."""
        self.interviewer = interviewer
        self.consultant: Consultant = interviewer.consultant
        self.knowledge = interviewer.knowledge
        self.journal = journal
        self.title = case.title
        self.id = case.id
        self.written = dict(case.written)
        self.answers: dict[str, State] = dict(case.answers)
        self.asked: list[tuple[str, ...]] = []
        self.only_safety = only_safety
        self._again: Sheet | None = None
        self._told_of_trouble = ""

    def run(self) -> Stop:
        """Ask until nothing more can change the advice, or the person has had enough; return why it stopped.

        Raises `click.Abort` where the person breaks it off; every answer until then is on disk.
        """
        self.tell("Type ? to hear why something is asked, help for more. Ctrl-C breaks off; no answer is lost.")
        while True:
            step = self._next()
            if step.sheet is None:
                return step.stopped
            self._show(step)
            if not self._converse(step):
                return "enough"

    def case(self) -> Case:
        """Return the case as answered so far."""
        return make_case(self.knowledge, self.written, id=self.id, title=self.title)

    # asking

    def _next(self) -> Step:
        if self._again is not None:
            return Step(self._again)
        return self.interviewer.step(self.case().answers, only_safety=self.only_safety)

    def _show(self, step: Step) -> None:
        assert step.sheet is not None
        heading, lines, _ = question(self.knowledge, step.sheet)
        click.echo(err=True)
        if self._again is None:
            kind = "safety question" if step.safety else "question"
            left = "the last one" if step.left == 1 else f"at most {step.left} to go"
            self.tell(f"[{kind} {len(self.asked) + 1}; {left}]")
        else:
            phrases = Phrases(self.knowledge)
            given = "; ".join(phrases.answer(name, self.answers[name]) for name in step.sheet.findings)
            self.tell(f"[once more; your answer was: {given}]")
        self.tell(heading)
        for number, line in enumerate(lines, 1):
            self.tell(line.text, f"  {number:>2}  ")
            for choice in line.choices:
                self.tell(choice, " " * 8)

    def _converse(self, step: Step) -> bool:
        """Read lines until one answers, or leads elsewhere; return False for `quit`."""
        sheet = step.sheet
        assert sheet is not None
        while True:
            typed = click.prompt(
                question(self.knowledge, sheet)[2], prompt_suffix="\n> ", default="", show_default=False, err=True
            )
            word = " ".join(str(typed).lower().split())
            if word == "quit" or COMMANDS.get(word) == "quit":
                return False
            if word.split(" ")[0] == "change":
                if self._change(word.removeprefix("change").strip()):
                    return True
            elif COMMANDS.get(word) == "back":
                if self._back():
                    return True
            elif word in COMMANDS:
                self._answer_command(COMMANDS[word], sheet)
            elif self._take(sheet, str(typed)):
                return True

    def _take(self, sheet: Sheet, typed: str) -> bool:
        """Take `typed` as the answer to `sheet`; return whether it was one."""
        try:
            given = answers_to(
                self.knowledge, sheet.findings, "unknown" if typed.strip().lower() in ("s", "skip") else typed
            )
        except Refused as refusal:
            self.tell(f"That was not understood: {refusal}.")
            return False
        before = {rejection.finding for rejection in self.case().rejected}
        self._keep(sheet, given)
        clash = [rejection for rejection in self.case().rejected if rejection.finding not in before]
        if clash:
            names = " and ".join(dict.fromkeys(self.knowledge.findings[item.finding].name for item in clash))
            self.tell(
                f"These answers cannot all be right: {clash[0].reason}. As long as that is so, {names} counts as "
                f"not known; “change {clash[0].finding}” answers it again, “back” the last question."
            )
        self._echo(sheet, given)
        return True

    def _echo(self, sheet: Sheet, given: dict[str, State]) -> None:
        phrases = Phrases(self.knowledge)
        findings = self.knowledge.findings
        clear = [
            name for name, state in given.items() if state in (findings[name].clear, frozenset({findings[name].clear}))
        ]
        if is_checklist(self.knowledge, sheet.findings):
            said = [phrases.answer(name, state) for name, state in given.items() if name not in clear]
            noted = "; ".join(said) if said else f"none of these, that is, {len(clear)} times no"
        else:
            noted = "; ".join(phrases.answer(name, state) for name, state in given.items())
        self.tell(f"Noted: {noted}.")

    # answers

    def _keep(self, sheet: Sheet, given: dict[str, State]) -> None:
        for name, state in given.items():
            self.answers.pop(name, None)
            self.answers[name] = state
            self.written.pop(name, None)
            self.written[name] = as_written(state)
        if not any(set(sheet.findings) <= set(findings) for findings in self.asked):
            self.asked.append(sheet.findings)
        self._again = None
        self._drop_what_no_longer_applies(given)
        self.save()

    def _drop_what_no_longer_applies(self, changed: Iterable[str]) -> None:
        """Forget answers to questions that a changed answer has made senseless, and say so."""
        vocabulary = self.consultant.vocabulary
        memory = WorkingMemory(vocabulary, self.answers)
        hanging = {name for given in changed for name in vocabulary.hanging_on(given)} & set(self.answers)
        gone = [n for n in sorted(hanging - set(changed)) if memory.applies(self.knowledge.findings[n]) is False]
        for name in gone:
            self.tell(f"No longer asked: {self.knowledge.findings[name].name}.")
            del self.answers[name], self.written[name]

    def save(self) -> None:
        """Put the case on disk; where that fails, say so once, and go on."""
        if self.journal.write(case_text(self.knowledge, self.case())) or self._told_of_trouble == self.journal.trouble:
            return
        self._told_of_trouble = self.journal.trouble
        self.tell(
            f"{self.journal.path}: cannot be written ({self.journal.trouble}). The interview goes on, but if it "
            f"is broken off now, its answers are lost."
        )

    # commands

    def _answer_command(self, command: str, sheet: Sheet) -> None:
        if command == "help":
            for name, meaning in HELP:
                self.tell(meaning, f"  {name:<9} ")
        elif command == "how":
            for text in how(self.knowledge, sheet):
                self.tell(text)
        elif command == "why":
            said = list(why(self.knowledge, self.interviewer.waiting(sheet, self.answers)))
            for text in said or ["It was answered before; the new answer takes its place."]:
                self.tell(text)
        elif command == "so far":
            document = so_far(self.consultant.consult(self.case()), self.answers)
            click.echo(to_text(document, width=self.width()), nl=False, err=True)

    def _back(self) -> bool:
        if not self.asked:
            self.tell("This is the first question.")
            return False
        findings = self.asked.pop()
        self._again = Sheet(findings, self.interviewer.heading(findings))
        return True

    def _change(self, wanted: str) -> bool:
        """Ask again what `wanted` names: the number of an answer in `so far`, or the name of a question."""
        names = list(self.answers)
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            name = names[int(wanted) - 1]
        else:
            known = {self.knowledge.findings[name].name.lower(): name for name in names} | {n: n for n in names}
            known |= {name.replace("_", " "): name for name in names}
            close = nearest(wanted, known)
            if wanted not in known:
                hint = f"; did you mean {close[0]}?" if close else "; “so far” lists what was answered, with numbers"
                self.tell(
                    f"Nothing called “{visible(wanted)}” was answered{hint}" if wanted else "Change what?" + hint[1:]
                )
                return False
            name = known[wanted]
        self._again = Sheet((name,))
        return True

    # lines out

    def tell(self, text: str, lead: str = "") -> None:
        """Print `text` on standard error, wrapped to the terminal as it is now."""
        lines = textwrap.wrap(visible(text), self.width(), initial_indent=lead, subsequent_indent=" " * len(lead))
        click.echo("\n".join(lines or [""]), err=True)

    def width(self) -> int:
        """Return the columns to use: those of the terminal, between 40 and 80."""
        return max(40, min(80, shutil.get_terminal_size().columns))


def interviewed(consultant: Consultant, *, resume: bool) -> tuple[Case, Interview]:
    """Hold an interview, or go on with the last one; return the case and how it went."""
    from platformdirs import user_state_path

    folder = user_state_path("psoas", appauthor=False)
    interviewer = Interviewer(consultant)
    case = Case("interview")
    if resume:
        try:
            journal = Journal.resume(folder)
        except NoJournal as error:
            raise click.UsageError(f"there is no interview to go on with: {error}") from error
        case = read_case(consultant.knowledge, journal.path)
    else:
        journal = Journal.begin(folder)
    dialogue = Dialogue(interviewer, journal, case)
    if journal.trouble:
        dialogue.save()
    if resume:
        dialogue.asked = interviewer.retrace(case.answers)
        dialogue.tell(f"Going on after {len(case.answers)} answers; “so far” shows them.")
    stopped = _held(dialogue, resumable=True)
    return dialogue.case(), Interview(dialogue.case().answers, tuple(dialogue.asked), stopped)


def completed(consultant: Consultant, case: Case) -> Case:
    """Offer to ask the safety questions that `case` leaves open; return it with the answers."""
    interviewer = Interviewer(consultant)
    step = interviewer.step(case.answers, only_safety=True)
    if step.sheet is None:
        return case
    from platformdirs import user_state_path

    journal = Journal.begin(user_state_path("psoas", appauthor=False))
    dialogue = Dialogue(interviewer, journal, case, only_safety=True)
    dialogue.tell("This case leaves safety questions open, and without them little can be advised.")
    if not click.confirm(f"Answer them now? At most {step.left} to go.", default=True, err=True):
        journal.release()
        return case
    _held(dialogue, resumable=False)
    return dialogue.case()


def _held(dialogue: Dialogue, *, resumable: bool) -> Stop:
    """Hold the interview; say where the answers are, and how it ended."""
    try:
        stopped = dialogue.run()
    except click.Abort:
        click.echo(err=True)
        kept = f" It is kept in {dialogue.journal.path}" if not dialogue.journal.trouble else ""
        if resumable and kept and dialogue.answers:
            dialogue.tell(f"Broken off.{kept}; “psoas consult --resume” goes on with it.")
        elif kept and dialogue.answers:
            dialogue.tell(f"Broken off.{kept}; “psoas consult” reads it as a case.")
        dialogue.journal.release()
        raise
    path = dialogue.journal.path if stopped == "enough" and resumable else dialogue.journal.finish()
    click.echo(err=True)
    dialogue.tell(ENDED[stopped])
    if dialogue.answers and not dialogue.journal.trouble:
        goes_on = " “psoas consult --resume” goes on." if stopped == "enough" and resumable else ""
        dialogue.tell(f"Your answers are a case file: {path}.{goes_on} Delete it if you do not want it kept.")
    click.echo(err=True)
    return stopped


ENDED: dict[str, str] = {
    "emergency": "No more questions: this needs help now.",
    "settled": "That is all: no question left out could change how urgent it is, the leading cause or what to do.",
    "exhausted": "That is all that can be asked. What you could not answer stays open, and the advice says so.",
    "enough": "Stopped here. The advice rests on what was answered, and says what is still open.",
}
"""How an interview ended → what the person is told."""
