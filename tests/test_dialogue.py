"""The interview with a person: what is said, what a line leads to, and what is on disk after it.

The first half talks to the conversation itself; the second drives the command at a real terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import CASES, ROOT
from psoas.answering import answers_to, is_checklist, is_trial, signs, unsure
from psoas.case import Case, as_written, make_case, read_case
from psoas.consultation import Consultant
from psoas.dossier import Dossier
from psoas.interview import Interviewer, Sheet
from psoas.journal import UNFINISHED, Journal
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas.memory import Standing, State
from psoas.telling.questioning import how, question, still_open
from psoas_cli.conversation import HELP, Conversation
from psoas_cli.terminal import printable, width

# ---------------------------------------------------------------- a conversation without a terminal


class Enough(Exception):
    """The script has no line left."""


class Script:
    """A terminal where a script types."""

    def __init__(self, *lines: str, before: Callable[[], None] = lambda: None) -> None:
        self.lines = list(lines)
        self.said: list[str] = []
        self.before = before

    def tell(self, text: str, lead: str = "") -> None:
        self.said.append(lead + text)

    def show(self, text: str) -> None:
        self.said.append(text)

    def ask(self, told: str) -> str:
        self.before()
        self.said.append(told)
        if not self.lines:
            raise Enough
        self.said.append(f"> {self.lines[0]}")
        return self.lines.pop(0)

    def width(self) -> int:
        return 80

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def after(self, line: str) -> str:
        """Return what was said after `line` was typed last."""
        return self.text.rpartition(f"> {line}\n")[2]


def conversation(
    consultant: Consultant, folder: Path, *lines: str, case: Case | None = None, **options: bool
) -> Conversation:
    """Return a conversation that is about to begin."""
    dossier = Dossier(consultant, case or Case("interview"))
    return Conversation(Interviewer(consultant), dossier, Journal.begin(folder), Script(*lines), **options)


def talk(talker: Conversation, *lines: str) -> str:
    """Go on until the script has no line left; return what was said, and at last how it ended."""
    script = talker.terminal
    assert isinstance(script, Script)
    script.lines += lines
    with contextlib.suppress(Enough):
        script.said.append(f"[{talker.run()}]")
    return script.text


def held(talker: Conversation) -> Script:
    assert isinstance(talker.terminal, Script)
    return talker.terminal


def on_disk(talker: Conversation) -> Case:
    return read_case(talker.knowledge, talker.journal.path)


@pytest.fixture(scope="module")
def bicycle() -> Consultant:
    return Consultant(load(ROOT / "tests" / "kb_bicycle"))


def test_none_of_these_says_what_it_answers(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    assert "Noted: none of these, that is, no to each of the 13." in talk(talker, "none")
    first = consultant.knowledge.manifest.interview[0].findings
    assert set(on_disk(talker).answers) == set(first)


def test_what_was_not_chosen_is_said_to_be_no(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    said = talk(talker, "5 3?")
    assert "no to the rest of the list." in said
    assert "otherwise not known" in said


@pytest.mark.parametrize("line", range(1, 14))
def test_an_emergency_stops_at_once(consultant: Consultant, tmp_path: Path, line: int) -> None:
    talker = conversation(consultant, tmp_path)
    said = talk(talker, str(line))
    alone = consultant.consult(talker.dossier.case).level.alone
    assert said.endswith("[emergency]") is alone
    assert said.count("[safety question") == (1 if alone else 2)
    assert on_disk(talker).answers == talker.dossier.case.answers


def test_most_of_these_signs_are_an_emergency(consultant: Consultant) -> None:
    knowledge = consultant.knowledge
    first = knowledge.manifest.interview[0].findings
    levels = [
        consultant.consult(make_case(knowledge, {sign.finding: sign.value})).level for sign in signs(knowledge, first)
    ]
    assert sum(level.alone for level in levels) >= 8


def test_every_answer_is_on_disk_before_the_next_question(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)

    def look() -> None:
        if talker.dossier.answers:
            assert talker.journal.path.read_text(encoding="utf-8") == talker.dossier.text()
            assert on_disk(talker).answers == talker.dossier.case.answers

    held(talker).before = look
    talk(talker, "none", "38 m", "none", "8", "20 days", "none", "change trauma", "none", "back", "3, 3 weeks, 2 d")
    assert len(talker.dossier.asked) >= 5


# back and change


def test_back_goes_to_the_first_question_and_no_further(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talk(talker, "none", "38 m", "none", "none", "none")
    asked = len(talker.dossier.asked)
    assert asked == 5
    said = talk(talker, *["back"] * (asked + 3))
    assert said.count("This is the first question.") == 3
    assert said.count("[once more;") == asked
    assert "Left as it was." in talk(talker, "")
    assert f"question {asked + 1};" in held(talker).text.rpartition("[")[2]
    assert len(talker.dossier.asked) == asked


def test_an_answer_on_the_way_back_takes_the_place_of_the_old_one(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talk(talker, "none", "38 m", "none", "back", "back", "39 f")
    assert (talker.dossier.answers["age_years"], talker.dossier.answers["sex"]) == (39, "female")
    assert len(talker.dossier.asked) == 3
    assert "[safety question 4;" in held(talker).text.rpartition("Noted:")[2]
    talk(talker, "back")
    assert "Has a doctor ever told you" in held(talker).text.rpartition("[once more")[2]


def test_back_from_a_change_returns_to_where_it_was_typed(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    said = talk(talker, "none", "38 m", "change age", "back")
    assert said.rpartition("> back")[2].count("[safety question 3;") == 1
    assert talker.dossier.answers["age_years"] == 38


@pytest.mark.parametrize(
    ("typed", "said"),
    [("change 1", "Since around the time this pain began, have you had any numbness"), ("change 7", "How old are you?"),
     ("change age", "How old are you?"), ("CHANGE  Age", "How old are you?"), ("change age_years", "How old are you?"),
     ("change steadi", "unsteady or clumsy"), ("change leg weak", "Is a leg or foot weak"),
     ("change leg", "'leg' could be: numbness between the legs; leg weakness."), ("change", "Change what? “so far”"),
     ("change 0", "There is no answer called '0'"), ("change 9", "There is no answer called '9'"),
     ("change severity", "There is no answer called 'severity'"), ("change agee", "did you mean age?"),
     ("change " + "9" * 5000, "There is no answer called '999"), ("change \x1b[A", r"called '\x1b[a'")],
)  # fmt: skip
def test_change(consultant: Consultant, tmp_path: Path, typed: str, said: str) -> None:
    talker = conversation(consultant, tmp_path)
    assert said in talk(talker, "none", "38 m", typed).rpartition(f"> {typed}\n")[2]


def test_change_before_anything_was_answered(consultant: Consultant, tmp_path: Path) -> None:
    assert "Nothing was answered yet." in talk(conversation(consultant, tmp_path), "change 1")


def test_a_changed_answer_drops_what_makes_no_sense_without_it(consultant: Consultant, tmp_path: Path) -> None:
    """And `back` passes over it; a sheet without its answer was once asked again, and ended in a traceback."""
    case = make_case(consultant.knowledge, {"trauma": "minor", "trauma_days": "20", "age_years": "30"}, id="interview")
    talker = conversation(consultant, tmp_path, case=case)
    talker.dossier.resume()
    said = talk(talker, "change trauma", "none")
    assert "Dropped, as it makes no sense now: days since the fall, crash or blow." in said
    assert "trauma_days" not in talker.journal.path.read_text()
    assert set(on_disk(talker).answers) == {"age_years", "trauma"}
    talk(talker, "back", "back", "back")
    assert set(talker.dossier.answers) == {"age_years", "trauma"}
    talk(talker, "change trauma", "minor")
    assert "trauma_days" not in talker.dossier.answers


def test_what_hangs_on_what_was_dropped_is_dropped_too(consultant: Consultant) -> None:
    case = make_case(consultant.knowledge, {"sex": "female", "pregnancy": "pregnant", "pregnancy_warning": "no"})
    dossier = Dossier(consultant, case)
    assert dossier.keep({"sex": "male"}).dropped == ("pregnancy", "pregnancy_warning")
    assert dossier.answers == {"sex": "male"}


def test_numbers_of_answers_stay_when_one_is_changed(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talk(talker, "none", "38 m")
    before = list(talker.dossier.answers)
    talk(talker, "change 7", "39")
    assert list(talker.dossier.answers) == before


# answers that contradict each other


def contradicting(consultant: Consultant, tmp_path: Path) -> Conversation:
    case = make_case(consultant.knowledge, {"leg_symptoms": ["numbness"], "leg_side": "one"}, id="interview")
    talker = conversation(consultant, tmp_path, case=case)
    talk(talker, "change leg_side", "none")
    return talker


def test_a_contradiction_is_said_and_counts_as_not_known(consultant: Consultant, tmp_path: Path) -> None:
    talker = contradicting(consultant, tmp_path)
    said = held(talker).text
    assert "These answers cannot all be right: symptoms in the legs are reported, but in neither leg." in said
    assert "side of the leg symptoms and leg symptoms count as not known" in said
    assert "type “change side of the leg symptoms” or “change leg symptoms”" in said
    text = talker.journal.path.read_text()
    assert text.count("# refused: symptoms in the legs are reported, but in neither leg") == 2
    assert "leg_side: none" in text  # as it was typed
    assert on_disk(talker).answers == {"leg_side": Standing.UNKNOWN, "leg_symptoms": Standing.UNKNOWN}
    assert "counts as not known: symptoms in the legs" in talk(talker, "so far")


def test_a_contradiction_that_is_typed_again_is_said_again(consultant: Consultant, tmp_path: Path) -> None:
    talker = contradicting(consultant, tmp_path)
    talk(talker, "change leg_symptoms", "tingling")
    assert held(talker).text.count("These answers cannot all be right") == 2
    talk(talker, "change leg_side", "both")
    assert held(talker).text.count("These answers cannot all be right") == 2
    assert on_disk(talker).answers == {"leg_side": "both", "leg_symptoms": {"tingling"}}
    assert "refused" not in talker.journal.path.read_text()


def test_a_contradiction_can_be_resolved_after_resuming(consultant: Consultant, tmp_path: Path) -> None:
    """What was typed is kept, not that it counted as unknown."""
    talker = contradicting(consultant, tmp_path)
    again = conversation(consultant, tmp_path, case=on_disk(talker))
    again.dossier.resume()
    assert again.dossier.answers == talker.dossier.answers
    talk(again, "change leg_side", "both")
    assert on_disk(again).answers == {"leg_side": "both", "leg_symptoms": {"numbness"}}


# resuming


def test_after_resuming_everything_is_as_it_was(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talk(talker, "none", "38 m", "7", "none", "5 days", "none", "7, 3 weeks, 10 days", "change 7", "39")
    again = conversation(consultant, tmp_path / "b", case=on_disk(talker))
    again.dossier.resume()
    assert list(again.dossier.answers.items()) == list(talker.dossier.answers.items())
    assert again.dossier.asked == talker.dossier.asked
    assert again.dossier.text() == talker.dossier.text()
    said = talk(again, *["back"] * 20)
    assert said.count("[once more;") == len(talker.dossier.asked)
    assert "This is the first question." in said


# what is said


def test_the_commands(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    said = talk(talker, "?", "why", "how", "help", "H", "so  FAR", "")
    assert said.count("An answer could mean “emergency, now”") == 2
    assert said.count("numbness between the legs: It may seem an odd thing to ask.") == 1
    assert all(said.count(f"  {name:<10}{meaning}") == 2 for name, meaning in HELP)
    assert "Nothing yet." in said
    assert "That was not understood: nothing was typed" in said
    assert not talker.journal.kept
    assert "“severe”" not in said


def test_enter_pressed_often_answers_nothing(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talk(talker, *[""] * 30)
    assert talker.dossier.answers == {}
    assert held(talker).text.count("[safety question 1;") == 1


def test_what_to_answer_and_how_are_told_of_every_sheet(consultant: Consultant) -> None:
    interviewer, knowledge = Interviewer(consultant), consultant.knowledge
    for findings in [
        *(sheet.findings for sheet in knowledge.manifest.interview),
        *((name,) for name in knowledge.findings),
    ]:
        sheet = Sheet(findings, interviewer.heading(findings))
        heading, lines, told = question(knowledge, sheet)
        assert heading
        assert told
        assert all(line.text and line.lead for line in lines)
        assert list(how(knowledge, sheet))


def test_progress_promises_nothing(consultant: Consultant, tmp_path: Path) -> None:
    """An answer can open new questions, so that neither "at most" nor "the last" would be true."""
    said = talk(conversation(consultant, tmp_path), "none", "38 m", "none", "8")
    assert len(re.findall(r"\[safety question \d; (?:about \d+ to go|this may be the last one)\]", said)) == 5


def test_quitting_at_the_first_prompt_leaves_nothing_behind(consultant: Consultant, tmp_path: Path) -> None:
    for word in ("quit", "q", "exit", " QUIT "):
        talker = conversation(consultant, tmp_path)
        assert talk(talker, word).endswith("[enough]")
        talker.journal.finish()
    assert list(tmp_path.iterdir()) == []


def told_at_the_end(consultant: Consultant, **answers: str) -> str:
    return "\n".join(still_open(consultant.consult(make_case(consultant.knowledge, answers))))


def test_who_stops_early_is_told_what_is_open(consultant: Consultant) -> None:
    nothing = told_at_the_end(consultant)
    assert nothing.startswith("Still open: 51 of 51 safety questions.\nNo answer so far makes it urgent.\n")
    assert "It is “emergency, now” only if open answers point to: " in nothing
    rules = [rule for rule in consultant.knowledge.rules.values() if rule.level == "emergency_now"]
    assert all(rule.name in nothing for rule in rules)
    fever = told_at_the_end(consultant, fever="yes")
    assert "It is at least “urgent medical assessment, the same day”." in fever
    assert "It is “urgent" not in fever
    assert "“see a clinician”" not in fever
    assert told_at_the_end(consultant, saddle_numbness="yes") == ""


@pytest.mark.parametrize("name", ["V12", "V22", "V37", "C35-twenty-two-weeks-pregnant", "E12-one-question-not-asked"])
def test_only_if_is_true(consultant: Consultant, name: str) -> None:
    """Every level a single further answer leads to is among those that were said to be possible."""
    case = read_case(consultant.knowledge, CASES / f"{name}.yaml")
    consultation = consultant.consult(case)
    said = "\n".join(still_open(consultation))
    for finding in consultant.knowledge.findings.values():
        if finding.id in case.answers or consultation.memory.applies(finding) is False:
            continue
        for value in finding.values:
            level = consultant.consult(make_case(consultant.knowledge, {**case.written, finding.id: value})).level
            if level.screened and level != consultation.level:
                assert f"“{level.would}”" in said, (finding.id, value)


def test_where_nothing_is_open_that_is_said(consultant: Consultant) -> None:
    case = read_case(consultant.knowledge, CASES / "V12.yaml")
    assert consultant.consult(case).triage.settled
    assert "safety questions" not in "\n".join(still_open(consultant.consult(case)))


def test_what_may_not_concern_the_person_says_so(consultant: Consultant, tmp_path: Path) -> None:
    said = talk(conversation(consultant, tmp_path), *["skip"] * 20)
    after = said.partition("How many days ago was the fall, crash or blow?")[2]
    assert after.startswith("\nBy what you left open, this may not concern you; then skip it.")
    said = talk(conversation(consultant, tmp_path / "b"), "none", "38 m", "none", "8")
    assert "How many days ago was the fall" in said
    assert "may not concern you" not in said


def test_trouble_on_disk_is_said_once_and_its_end_too(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)
    talker.journal.path, path = Path("/dev/null/x"), talker.journal.path
    said = talk(talker, "none", "38 m")
    assert said.count("cannot be written to disk: a file stands where the folder should be. The interview goes on") == 1
    talker.journal.path = path
    assert talk(talker, "none").count("all of them are on disk") == 1
    assert on_disk(talker).answers == talker.dossier.case.answers


def test_only_what_safety_needs_is_asked_of_a_case(consultant: Consultant, tmp_path: Path) -> None:
    case = read_case(consultant.knowledge, CASES / "V37.yaml")
    talker = conversation(consultant, tmp_path, case=case, only_safety=True)
    said = talk(talker, *["skip"] * 40)
    assert "[question" not in said
    assert said.endswith(("[exhausted]", "[settled]"))
    assert "This is the first question." in talk(
        conversation(consultant, tmp_path, case=case, only_safety=True), "back"
    )


# whole interviews


def best_line(knowledge: Knowledge, findings: tuple[str, ...], case: Case) -> str:
    """Return the line that answers `findings` as `case` does."""
    if not set(findings) & set(case.answers):
        return "skip"
    wanted = {name: case.answers.get(name, unsure(knowledge.findings[name])) for name in findings}
    line = typed_answers(knowledge, findings, wanted)
    return "skip" if line == "?" else line  # which would ask why


def typed_answers(knowledge: Knowledge, findings: tuple[str, ...], wanted: dict[str, State]) -> str:
    if not is_checklist(knowledge, findings):
        return ", ".join(_spoken(wanted[name]) for name in findings)
    lines = signs(knowledge, findings)
    said = []
    for number, sign in enumerate(lines, 1):
        state = wanted[sign.finding]
        chosen = state if isinstance(state, frozenset) else {state}
        if sign.value in chosen:
            said.append(str(number))
        elif state is Standing.UNKNOWN or (chosen & {"unknown", knowledge.findings[sign.finding].open or "unknown"}):
            said.append(f"{number}?")
    return " ".join(said) or ("fine" if is_trial(knowledge, findings) else "none")


def _spoken(state: State) -> str:
    if isinstance(state, Standing):
        return "?"
    written = as_written(state)
    return written if isinstance(written, str) else ", ".join(written)


def hold(consultant: Consultant, folder: Path, case: Case) -> Conversation:
    """Hold the interview with `case` at the prompt; return the conversation."""
    talker, knowledge = conversation(consultant, folder), consultant.knowledge
    script = held(talker)

    def prepare() -> None:
        step = talker._next()
        assert step.sheet is not None
        script.lines = [best_line(knowledge, step.sheet.findings, case)]

    script.before = prepare
    script.said.append(f"[{talker.run()}]")
    return talker


def _held_as_replayed(consultant: Consultant, folder: Path, path: Path) -> None:
    knowledge = consultant.knowledge
    case = read_case(knowledge, path)
    talker = hold(consultant, folder, case)
    for name, state in talker.dossier.answers.items():
        given_ = case.answers.get(name, unsure(knowledge.findings[name]))
        assert state in (given_, unsure(knowledge.findings[name]) if given_ is Standing.UNKNOWN else given_)
    again = read_case(knowledge, talker.journal.path)
    assert consultant.consult(again).level == consultant.consult(talker.dossier.case).level
    assert again.answers == talker.dossier.case.answers


@pytest.mark.parametrize("name", ["V01", "V22", "V37"])
def test_a_whole_interview_typed(consultant: Consultant, tmp_path: Path, name: str) -> None:
    _held_as_replayed(consultant, tmp_path, CASES / f"{name}.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml"))[::8], ids=lambda path: path.stem)
def test_many_cases_typed(consultant: Consultant, tmp_path: Path, path: Path) -> None:
    _held_as_replayed(consultant, tmp_path, path)


def test_another_knowledge_base_that_has_no_sheets(bicycle: Consultant, tmp_path: Path) -> None:
    assert not bicycle.knowledge.manifest.interview
    talker = conversation(bicycle, tmp_path)
    talk(talker, "?", "how", "so far", "1", "back", "2")
    assert talker.dossier.answers
    for path in sorted((ROOT / "tests" / "kb_bicycle" / "cases").glob("*.yaml")):
        hold(bicycle, tmp_path, read_case(bicycle.knowledge, path))


LINES = st.sampled_from(
    ["none", "fine", "skip", "back", "change 1", "change 7", "change", "so far", "?", "how", "", "1", "2", "1 2", "3?",
     "38 m", "yes", "no", "7, 21, 1", "1, 1", "40, 42", "20", "change trauma", "change leg", "7?", "1? 2?", "\x1b", "é"]
) | st.text(max_size=8)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=30))
def test_no_line_breaks_it(consultant: Consultant, tmp_path: Path, lines: list[str]) -> None:
    """Whatever is typed: nothing raised, and the file on disk brings the same interview back."""
    talker = conversation(consultant, tmp_path)
    talk(talker, *lines)
    if talker.dossier.answers:
        again = Dossier(consultant, on_disk(talker))
        again.resume()
        assert again.answers == talker.dossier.answers
        assert again.text() == talker.dossier.text()
        assert {name for sheet in talker.dossier.asked for name in sheet} == set(talker.dossier.answers)
    talker.journal.release()


# the screen


def test_the_width_is_the_terminals_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [200, 80, 50, 20, 0]
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((measured[0], 24)))
    widths = []
    while measured:
        widths.append(width(sys.__stdout__))
        measured.pop(0)
    assert widths == [80, 80, 50, 40, 80]
    for told, columns in (("40", 40), ("1", 40), ("500", 80), ("0", 80)):
        monkeypatch.setenv("COLUMNS", told)
        assert width(sys.__stdout__) == columns


def test_no_terminal_has_eighty_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "wide")
    with (tmp_path / "x").open("w") as stream:
        assert width(stream) == 80


def test_what_cannot_be_shown_has_a_stand_in(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w", encoding="ascii") as stream:
        assert printable("“38 °C” … → ü", stream) == '"38 C" ... -> ?'
    with (tmp_path / "x").open("w", encoding="latin-1") as stream:
        assert printable("ü “°”", stream) == 'ü ""'
    with (tmp_path / "x").open("w", encoding="utf-8") as stream:
        assert printable("“°”", stream) == "“°”"


# ---------------------------------------------------------------- the command at a terminal

PROMPT = "\r\n> "
COMMAND = [sys.executable, "-m", "psoas_cli", "consult"]
terminal = pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")  # pytest-xdist has threads


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def environment(state: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_START") if name in os.environ}
    paths = f"{ROOT / 'engine'}{os.pathsep}{ROOT / 'cli'}"
    return {**kept, "PYTHONPATH": paths, "XDG_STATE_HOME": str(state), "TERM": "dumb", "NO_COLOR": "1",
            "LANG": "C.UTF-8", **more}  # fmt: skip


class Sitting:
    """A person at a terminal, and the command."""

    def __init__(self, state: Path, *arguments: object, shell: str = "", columns: int = 80, **more: str) -> None:
        command = ["/bin/sh", "-c", shell] if shell else [*COMMAND, *map(str, arguments)]
        self.process = pexpect.spawn(
            command[0],
            command[1:],
            env=environment(state, **more),  # type: ignore[arg-type]
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(24, columns),
            timeout=30,
            cwd=str(ROOT),
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # whoever runs the tests may ignore it
        )
        self.process.delaybeforesend = None
        self.seen = ""

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.close(force=True)

    def read(self) -> str:
        """Return what is said until the next prompt, or until it ends."""
        self.process.expect_exact([PROMPT, pexpect.EOF])
        said = str(self.process.before).replace("\r\n", "\n")
        if self.process.after == PROMPT:
            said += "\n> "
        self.seen += said
        return said

    def type(self, line: str) -> str:
        """Type a line and Enter; return what is said to it."""
        self.process.sendline(line)
        return self.read()

    def end(self) -> int:
        """Read to the end; return the exit code, or minus the signal."""
        while self.process.isalive() and self.read().endswith("> "):
            pass
        self.process.close()
        return int(-self.process.signalstatus if self.process.signalstatus else self.process.exitstatus)


def journals(state: Path) -> list[Path]:
    return sorted(state.rglob(f"*{UNFINISHED}"))


def plain(*arguments: object, state: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command where nobody sits."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(state),
        check=False,
        stdin=options.get("stdin", subprocess.DEVNULL),  # type: ignore[arg-type]
        cwd=ROOT,
    )


@terminal
def test_one_long_sitting(state: Path) -> None:
    """Answers in their spellings, keys that are none, a window that changes, Ctrl-C; and it goes on after that."""
    with Sitting(state) as person:
        assert "[safety question 1;" in person.read()
        for line, said in [
            ("", "nothing was typed"),
            ("\t  ", "nothing was typed"),
            ("NONE OF THESE", "no to each of the 13"),
            ("38 yrs, F", "Noted: age 38; female."),
            ("2 44", "there is no 44 in the list; it goes from 1 to"),
            ("\x1b[A\x1b[B", r"'\x1b[A\x1b[B' is not in the list"),
            ("ünïcödé ✓", "'ünïcödé ✓' is not in the list"),
            ("x" * 1000, "x…' is not in the list"),
            ("9" * 1000, "there is no 99999999999999999999 in the list"),
            ("0", "no to each of the"),
            ("skip", "unknown"),
            ("back", "[once more; your answer was:"),
            ("none", "no to each of the"),
            ("so far", "What follows"),
        ]:
            answer = person.type(line)
            assert said in " ".join(answer.split()), (line, answer)
        os.write(person.process.child_fd, b"\xff\xfe\n")  # no UTF-8
        assert "is not in the list" in person.read()
        person.process.setwinsize(24, 50)
        narrow = person.type("?").partition("\n")[2]
        assert max(map(len, narrow.splitlines())) <= 50
        assert "\x1b" not in person.seen
        person.process.sendintr()
        assert person.end() == 130
        assert "Broken off." in person.seen
        assert "Traceback" not in person.seen
        assert "Aborted" not in person.seen
    (journal,) = journals(state)
    assert str(journal) in person.seen
    before = journal.read_text()
    with Sitting(state, "--resume") as person:
        assert re.search(
            r"Going on with the interview of \d\d\.\d\d\.\d{4}, \d\d:\d\d, after 2\d answers",
            " ".join(person.read().split()),
        )
        assert journal.read_text() == before
        assert "[once more; your answer was: none of these" in person.type("back")
        assert "[once more; your answer was: none of these" in person.type("back")
        person.process.sendeof()
        assert person.end() == 1
    assert journals(state) == [journal]
    assert journal.read_text() == before
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]


@terminal
@pytest.mark.parametrize("how_it_ends", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nothing_is_lost_when_it_is_killed(state: Path, how_it_ends: signal.Signals) -> None:
    with Sitting(state) as person:
        person.read()
        person.type("none")
        assert "[safety question 3;" in person.type("38 m")
        person.process.kill(how_it_ends)
        assert person.end() == -how_it_ends
    with Sitting(state, "--resume") as person:
        said = person.read()
        assert "after 8 answers" in " ".join(said.split())
        assert "[safety question 3;" in said


@terminal
def test_a_terminal_that_is_closed(state: Path) -> None:
    person = Sitting(state)
    person.read()
    person.type("none")
    os.close(os.dup(person.process.child_fd))
    person.process.close(force=False)
    assert not person.process.isalive()
    (journal,) = journals(state)
    assert "saddle_numbness: no" in journal.read_text()


@terminal
def test_two_at_once_do_not_mix(state: Path) -> None:
    with Sitting(state) as first, Sitting(state) as second:
        for person, age in ((first, "31 m"), (second, "62 f")):
            person.read()
            person.type("none")
            person.type(age)
        assert len(journals(state)) == 2
        with Sitting(state, "--resume") as third:
            assert third.end() == 2
            assert "2 unfinished" in third.seen
            assert "still open in another window" in " ".join(third.seen.split())
        first.type("none")  # the last one written
        first.process.kill(signal.SIGKILL)
        first.end()
        with Sitting(state, "--resume") as third:
            assert "after 15 answers" in " ".join(third.read().split())
            assert "31" in third.type("so far")
        second.process.sendintr()
        second.end()
        os.utime(second_file := next(p for p in journals(state) if "age_years: 62" in p.read_text()), (2e9, 2e9))
        with Sitting(state, "--resume") as third:
            assert "after 8 answers" in " ".join(third.read().split())
            assert "62" in third.type("so far")
        assert "age_years: 62" in second_file.read_text()


@terminal
def test_ending_before_anything_was_answered(state: Path) -> None:
    with Sitting(state, "--resume") as person:
        assert person.end() == 2
        assert "there is no interview to go on with" in person.seen
    with Sitting(state) as person:
        person.read()
        person.process.sendeof()
        assert person.end() == 1
        assert "Broken off.\n" in person.seen
    with Sitting(state) as person:
        person.read()
        person.process.sendline("quit")
        assert person.end() == 0
        assert "Cannot be judged yet" in person.seen
        assert "case file:" not in person.seen
    assert [path for path in state.rglob("*") if path.is_file()] == []


@terminal
def test_the_advice_can_be_sent_elsewhere(state: Path, tmp_path: Path) -> None:
    """Prompts on the terminal, the advice in the file, and nothing else in it."""
    report = tmp_path / "report.txt"
    with Sitting(state, shell=f"{' '.join(COMMAND)} > {report}", columns=60) as person:
        assert "[safety question 1;" in person.read()
        assert max(map(len, person.seen.splitlines())) <= 60  # the terminal is measured, not the file
        person.process.sendline("1")
        assert person.end() == 0
    assert "No more questions: this needs help now." in person.seen
    assert report.read_text().startswith("EMERGENCY")
    assert "EMERGENCY. Get medical help now\nCall your emergency number" in person.seen  # this must be read here


@terminal
def test_advice_as_json_does_not_hide_an_emergency(state: Path) -> None:
    with Sitting(state, "--format", "json") as person:
        person.read()
        person.process.sendline("1")
        assert person.end() == 0
    assert "EMERGENCY. Get medical help now\nCall" in person.seen


@terminal
def test_what_is_urgent_is_said_to_who_breaks_off(state: Path) -> None:
    with Sitting(state) as person:
        person.read()
        for line in ("none", "38 m", "none", "none", "1"):  # a fever
            person.type(line)
        person.process.sendintr()
        assert person.end() == 130
    assert "Urgent medical assessment, today\nBe seen by a doctor today" in person.seen


@terminal
def test_what_was_typed_before_a_question_is_no_answer_to_it(state: Path) -> None:
    """Signs pasted a line each once went on to the next lists: `6` was then an infection."""
    with Sitting(state) as person:
        person.read()
        person.type("none")
        person.type("38 m")
        said = person.type("none\n\n6\n5")
        assert "Typed before this was asked, and not taken: '6', '5'." in said
        assert said.count("[safety question") == 1
        said = person.type("a b c\nd\ne\nf\ng")
        assert "That was not understood: 'a b c'" in said
        assert "not taken: 'd', 'e', 'f' and 1 more." in said
        assert "[safety question 5;" in person.type("none")
    (journal,) = journals(state)
    assert "infection_risk" not in journal.read_text()


@terminal
def test_the_advice_is_as_narrow_as_the_terminal(state: Path) -> None:
    with Sitting(state, columns=46, NO_COLOR="", TERM="xterm") as person:
        person.read()
        person.process.sendline("quit")
        assert person.end() == 0
    advice = person.seen.partition("Cannot be judged yet")[2]
    assert "\x1b[1m" in advice
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in advice.splitlines()) <= 46
    with Sitting(state, NO_COLOR="", TERM="dumb") as person:
        person.read()
        person.process.sendline("quit")
        assert person.end() == 0
    assert "\x1b" not in person.seen


@terminal
def test_an_interview_goes_on_although_the_questions_have_changed(state: Path) -> None:
    """A question that was gone once made it impossible to go on, and a value that was gone left it open unasked."""
    with Sitting(state) as person:
        person.read()
        for line in ("none", "38 m", "none"):
            person.type(line)
        person.process.sendintr()
        person.end()
    (journal,) = journals(state)
    old = journal.read_text()
    journal.write_text(old.replace("steroid_use: none", "pills: [a, b]").replace("age_years: 38", "age_years: thirty"))
    with Sitting(state, "--resume") as person:
        said = " ".join(person.read().split())
        assert "The questions have changed since then. No longer asked, and left out: pills." in said
        assert "To be answered again, if it still matters: age (it was thirty)." in said
        assert "How old are you?" in said
        assert "Have you ever taken steroid tablets" in person.type("38")
        assert person.type("so far").count("age 38") == 1
    journal.write_text("answers: [")
    with Sitting(state, "--resume") as person:
        assert person.end() == 2
        assert "is not well-formed YAML" in " ".join(person.seen.split())
        assert "Move that file away, and --resume goes on with the interview before it." in " ".join(
            person.seen.split()
        )
    assert [path.name for path in journal.parent.iterdir() if path.suffix == ".lock"] == []


@terminal
def test_the_end_of_typing_is_no_answer_to_the_offer(state: Path) -> None:
    """Who typed Ctrl-D there once got no advice at all."""
    with Sitting(state, CASES / "V37.yaml") as person:
        assert "Answer them now?" in person.read()
        person.process.sendeof()
        assert person.end() == 0
        assert "Cannot be judged yet" in person.seen


@terminal
def test_a_saved_interview_gives_the_same_result(state: Path, tmp_path: Path) -> None:
    saved, report = tmp_path / "saved.yaml", tmp_path / "report.txt"
    with Sitting(state, "--save", saved, "-o", report) as person:
        person.read()
        for line in ("none", "38 m", "none", "8"):
            person.type(line)
        person.process.sendline("2 days")
        assert person.end() == 0
    (kept,) = list(state.rglob("*.yaml"))
    assert UNFINISHED not in kept.name  # it is finished, and nothing goes on with it
    for file in (saved, kept):
        assert plain(file, state=state).stdout == report.read_text()
        assert "  # How old are you?\n  age_years: 38\n" in file.read_text()


@terminal
def test_a_place_that_cannot_be_saved_to_loses_nothing(state: Path, tmp_path: Path) -> None:
    for option in ("--save", "-o"):
        with Sitting(state, option, tmp_path / "missing" / "case.yaml") as person:
            assert person.end() == 2
            assert "there is no folder" in " ".join(person.seen.split())  # said before anything is asked
            assert "[safety question" not in person.seen
    (tmp_path / "case.yaml").mkdir()
    with Sitting(state, "--save", tmp_path / "case.yaml") as person:
        person.read()
        person.process.sendline("1")
        assert person.end() == 2
    (kept,) = list(state.rglob("*.yaml"))
    assert str(kept) in person.seen.replace("\n", "")
    assert "case.yaml: cannot be written" in " ".join(person.seen.split())
    assert plain(kept, state=state).stdout.startswith("EMERGENCY")


@terminal
@pytest.mark.parametrize("trouble", ["Not a directory", "File too large"])
def test_a_disk_that_takes_nothing_is_said_and_it_goes_on(state: Path, trouble: str) -> None:
    limit = "ulimit -f 0; " if trouble == "File too large" else ""  # no file may hold a byte
    if not limit:
        state.write_text("")
    with Sitting(state, shell=f"{limit}exec {' '.join(COMMAND)}") as person:
        first = person.read()
        if not limit:
            assert trouble in " ".join(first.split())
        person.type("none")
        assert "[safety question 3;" in person.type("38 m")
        person.process.sendintr()
        assert person.end() == 130
    assert " ".join(person.seen.split()).count("The interview goes on") == 1
    assert f"The answers could not be written to disk: {trouble}." in " ".join(person.seen.split())
    assert "Traceback" not in person.seen


@terminal
def test_signs_the_terminal_cannot_show_have_stand_ins(state: Path) -> None:
    with Sitting(state, columns=40, PYTHONIOENCODING="ascii") as person:
        person.read()
        person.type("?")
        person.type("help")
        person.process.sendline("q")
        assert person.end() == 0
    assert person.seen.isascii()
    assert 'An answer could mean "emergency, now"' in " ".join(person.seen.split())
    assert "\\u" not in person.seen


@terminal
def test_an_unfinished_case_is_offered_its_safety_questions(state: Path, tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(
        "title: Half\nstory: 'It hurts: since June.'\nanswers: {age_years: 30, sex: male, pain_site: central_lumbar}\n"
    )
    with Sitting(state, case) as person:
        assert re.search(r"Answer them now\? About \d+ to go\. yes or no", " ".join(person.read().split()))
        assert "Answer them now?" in person.type("perhaps")
        person.process.sendline("no")
        assert person.end() == 0
        assert "Cannot be judged yet" in person.seen
    with Sitting(state, case) as person:
        person.read()
        person.process.sendintr()
        assert person.end() == 130
    assert [path for path in state.rglob("*") if path.is_file()] == []
    with Sitting(state, case, "--save", tmp_path / "whole.yaml") as person:
        person.read()
        assert "[safety question 1;" in person.type("")
        person.process.sendline("3")
        assert person.end() == 0
        assert "EMERGENCY" in person.seen
    assert "age_years: 30" in (tmp_path / "whole.yaml").read_text()
    assert 'title: Half\nstory: "It hurts: since June."\n' in (tmp_path / "whole.yaml").read_text()
    assert journals(state) == []


@terminal
def test_an_emergency_comes_before_any_question(state: Path, tmp_path: Path) -> None:
    """A hard fall is one, unless it is long past: the interview asks how long. Who breaks off there is told all the
    same, and a case file that says so much is not asked first whether more may be asked."""
    with Sitting(state) as person:
        person.read()
        for line in ("none", "38 m", "none", "8"):
            person.type(line)
        assert "EMERGENCY" not in person.seen
        person.process.sendintr()
        assert person.end() == 130
        assert "EMERGENCY. Get medical help now\nCall your emergency number" in person.seen
    (journal,) = journals(state)
    with Sitting(state, journal) as person:
        assert person.end() == 0
        assert "Answer them now" not in person.seen
        assert person.seen.startswith("EMERGENCY")


def test_where_nobody_sits_nothing_is_asked(state: Path) -> None:
    for arguments in ([], ["--resume"], ["--no-input"]):
        done = plain(*arguments, state=state)
        assert (done.returncode, done.stdout) == (2, "")
        assert "[safety" not in done.stderr
    half = plain("--no-input", CASES / "V37.yaml", state=state)
    assert half.returncode == 0
    assert half.stderr == ""
    assert plain(CASES / "V37.yaml", state=state, stdin=subprocess.PIPE).stdout == half.stdout
    assert not state.exists()


@terminal
def test_no_input_means_none_at_a_terminal_either(state: Path) -> None:
    with Sitting(state, "--no-input") as person:
        assert person.end() == 2
    with Sitting(state, "--no-input", CASES / "V37.yaml") as person:
        assert person.end() == 0
        assert "Answer them now" not in person.seen
    assert not state.exists()


@terminal
def test_interviews_with_another_knowledge_base_are_kept_apart(state: Path) -> None:
    with Sitting(state, "--kb", "tests/kb_bicycle") as person:
        person.read()
        person.type("1")
        person.process.sendline("quit")
        assert person.end() == 0
        assert "“psoas consult --resume” goes on with it" in " ".join(person.seen.split())
    with Sitting(state, "--resume") as person:
        assert person.end() == 2
        assert "none is unfinished" in " ".join(person.seen.split())
    with Sitting(state, "--resume", "--kb", "tests/kb_bicycle") as person:
        assert "after 1 answer;" in " ".join(person.read().split())


# ---------------------------------------------------------------- transcripts

GOLDEN = Path(__file__).parent / "golden"
INTERVIEWS: dict[str, tuple[str, dict[str, list[str]]]] = {
    "emergency": ("V01", {"saddle_numbness": ["?", "how"]}),
    "self-care": ("V12", {"age_years": ["help", "back", "", "340, m"], "severity": ["so far"]}),
    "see-clinician": (
        "V22",
        {
            "cancer_history": ["change age", "back", "2 44", "smokng"],
            "thomas_test": ["none", "change side of the leg", "none", "so far", "change side of the leg", "2"],
        },
    ),
}
"""Interview → the case that answers, and what else is typed, and leads back, where a question is asked first."""


def masked(text: str, state: Path) -> str:
    text = re.sub(r"\d\d\.\d\d\.\d{4}, \d\d:\d\d", "DATE", text.replace(str(state), "STATE"))
    return re.sub(r"\d{4}-\d\d-\d\d-\d{6}-\d+", "TIME", text)


def transcript(consultant: Consultant, state: Path, name: str) -> str:
    """Return an interview as the person sees it, standard output and error together."""
    source, detours = INTERVIEWS[name]
    case, pending = read_case(consultant.knowledge, CASES / f"{source}.yaml"), dict(detours)
    interviewer, dossier = Interviewer(consultant), Dossier(consultant, Case("interview"))
    with Sitting(state) as person:
        person.read()
        while (sheet := interviewer.step(dossier.case.answers).sheet) is not None:
            for finding in set(sheet.findings) & set(pending):
                for line in pending.pop(finding):
                    person.type(line)
            line = best_line(consultant.knowledge, sheet.findings, case)
            dossier.keep(answers_to(consultant.knowledge, sheet.findings, line))
            person.process.sendline(line)
            person.read()
        code = person.end()
    assert not pending, f"never asked: {sorted(pending)}"
    return f"$ psoas consult\n{masked(person.seen, state)}[exit {code}]\n"


@terminal
@pytest.mark.parametrize("name", INTERVIEWS)
def test_transcript(consultant: Consultant, name: str, state: Path) -> None:
    """`PSOAS_GOLDEN=write pytest tests/test_dialogue.py -k transcript` writes them anew."""
    path = GOLDEN / f"interview-{name}.txt"
    said = transcript(consultant, state, name)
    if os.environ.get("PSOAS_GOLDEN") == "write":
        path.write_text(said)
    assert said == path.read_text(), f"{path.name} differs: see the head of this test"
