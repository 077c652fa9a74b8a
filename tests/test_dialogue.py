"""The interview with a person: what is said, what a line leads to, and what is on disk after it.

The first half talks to the conversation itself; the second drives the command at a real terminal.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import CASES, ROOT
from psoas.answering import answers_to, is_checklist, is_trial, signs, unsure
from psoas.case import Case, make_case, read_case
from psoas.consultation import Consultant
from psoas.dossier import Dossier
from psoas.interview import Interviewer, Sheet
from psoas.journal import UNFINISHED, Journal
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas.memory import Standing, State
from psoas.telling.questioning import how, question
from psoas_cli.conversation import HELP, Conversation
from psoas_cli.screen import printable, width

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
    try:
        script.said.append(f"[{talker.run()}]")
    except Enough:
        pass
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
    levels = [consultant.consult(make_case(knowledge, {sign.finding: sign.value})).level for sign in signs(knowledge, first)]
    assert sum(level.alone for level in levels) >= 8


def test_every_answer_is_on_disk_before_the_next_question(consultant: Consultant, tmp_path: Path) -> None:
    talker = conversation(consultant, tmp_path)

    def look() -> None:
        if talker.dossier.answers:
            assert talker.journal.path.read_text(encoding="utf-8") == talker.dossier.text()
            assert on_disk(talker).answers == talker.dossier.case.answers

    held(talker).before = look
    talk(talker, "none", "38 m", "none", "8", "20 days", "none", "change trauma", "none", "back", "3, 3 weeks, 2")
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


def test_what_hangs_on_what_was_dropped_is_dropped_too(bicycle: Consultant, tmp_path: Path) -> None:
    known = bicycle.knowledge.findings
    gated = next(f for f in known.values() if f.applies is not None)
    gate = next(iter(bicycle.vocabulary.hanging_on(gated.id) ^ {gated.id}), None)
    dossier = Dossier(bicycle, Case("x"))
    assert gate is None or dossier.keep({}).dropped == ()


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
    for findings in [*(sheet.findings for sheet in knowledge.manifest.interview), *((name,) for name in knowledge.findings)]:
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
    assert "This is the first question." in talk(conversation(consultant, tmp_path, case=case, only_safety=True), "back")


# whole interviews


def typed_answers(knowledge: Knowledge, findings: tuple[str, ...], wanted: dict[str, State]) -> str:
    """Return the line that answers `findings` with `wanted`."""
    if not is_checklist(knowledge, findings):
        return "; ".join(_spoken(wanted[name]) for name in findings)
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
    if isinstance(state, str | float):
        return str(state)
    return ", ".join(sorted(map(str, state)) if isinstance(state, frozenset) else map(str, state))


def hold(consultant: Consultant, folder: Path, case: Case) -> Conversation:
    """Hold the interview with `case` at the prompt; return the conversation."""
    talker, knowledge = conversation(consultant, folder), consultant.knowledge
    script = held(talker)

    def prepare() -> None:
        step = talker._next()
        assert step.sheet is not None
        wanted = {n: case.answers.get(n, unsure(knowledge.findings[n])) for n in step.sheet.findings}
        line = typed_answers(knowledge, step.sheet.findings, wanted)
        if line == "?":  # would ask why
            line = "skip"
        assert answers_to(knowledge, step.sheet.findings, line).keys() == wanted.keys()
        script.lines = [line]

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
    talk(talker, "?", "how", "so far", "no", "back", "yes")
    assert talker.dossier.answers
    for path in sorted((ROOT / "tests" / "kb_bicycle" / "cases").glob("*.yaml")):
        hold(bicycle, tmp_path, read_case(bicycle.knowledge, path))


LINES = st.sampled_from(
    ["none", "fine", "skip", "back", "change 1", "change 7", "change", "so far", "?", "how", "", "1", "2", "1 2", "3?",
     "38 m", "yes", "no", "7, 3 weeks, 1", "1, 1", "40, 42", "20", "change trauma", "change leg", "7?", "1? 2?", "\x1b", "é"]
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
