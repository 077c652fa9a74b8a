"""What a person types at a prompt → answers; and whatever was answered, the case file brings back."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import ROOT
from psoas.answering import answer_to, answers_to, is_checklist, is_trial, signs
from psoas.case import Refused, as_written, case_text, make_case, read_answer
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas.memory import Standing, State

SHIPPED = load(ROOT / "kb")
BICYCLE = load(ROOT / "tests" / "kb_bicycle")
UNKNOWN = Standing.UNKNOWN

SHEETS = [sheet.findings for sheet in SHIPPED.manifest.interview]
ALARMS = SHEETS[0]
TRIALS = [sheet for sheet in SHEETS if is_checklist(SHIPPED, sheet) and is_trial(SHIPPED, sheet)]


def refusal(findings: tuple[str, ...] | str, text: str) -> str:
    """Return why `text` is refused."""
    with pytest.raises(Refused) as refused:
        answers_to(SHIPPED, (findings,) if isinstance(findings, str) else findings, text)
    return str(refused.value)


def answered(finding: str, text: str) -> State:
    return answer_to(SHIPPED.findings[finding], text)


# one question


@pytest.mark.parametrize("text", ["y", "Yes", "YES", "yeah", "yep", " yes "])
def test_yes(text: str) -> None:
    assert answered("fever", text) == "yes"


@pytest.mark.parametrize("text", ["n", "No", "nope", "none", "no fever"])
def test_no(text: str) -> None:
    assert answered("fever", text) == "no"


@pytest.mark.parametrize("text", ["?", "-", "skip", "s", "unknown", "not sure", "I don't know", "i don’t know", "yes?"])
def test_not_sure(text: str) -> None:
    assert answered("fever", text) is UNKNOWN


@pytest.mark.parametrize("text", ["fever", "maybe", "1", "yes no", "??", "ß", "\x00"])
def test_what_a_yes_or_no_does_not_take(text: str) -> None:
    assert "yes or no" in refusal("fever", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", "paraspinal_both"), ("central", "central_lumbar"), ("Flank", "flank"), ("in the flank", "flank"),
     ("both sides", "paraspinal_both"), ("sacral buttock", "sacral_buttock"), ("THORACIC", "thoracic"), ("２", "paraspinal_both")],
)  # fmt: skip
def test_a_choice_is_named_by_its_number_its_word_or_a_part_of_its_words(text: str, value: str) -> None:
    assert answered("pain_site", text) == value


def test_a_choice_that_is_not_there_is_refused_with_what_was_meant() -> None:
    assert refusal("pain_site", "0") == "there is no 0 in the list; it goes from 1 to 7"
    assert refusal("pain_site", "8") == "there is no 8 in the list; it goes from 1 to 7"
    assert refusal("pain_site", "flnk") == "'flnk' is not in the list; did you mean: pain in the flank?"
    assert refusal("pain_site", "low back").startswith("'low back' stands in several lines")
    for text in ("1, 2", "1 2", "1 and 2"):
        assert refusal("pain_site", text) == "only one of these can be noted; how may say which matters more"


@pytest.mark.parametrize(
    ("finding", "text"),
    [("walking_leg_pain_eased_sitting", "pain"), ("unwell", "pain"), ("pain_on_walking", "walking"), ("night_pain", "at night"),
     ("hop_test", "no"), ("hop_test", "done"), ("hop_test", "not"), ("bladder_change", "one"), ("leg_symptoms", "legs"),
     ("bowel_change", "normal"), ("menstrual", "no"), ("lunge_test", "go forward"), ("trauma", "the"), ("easers", "one")],
)  # fmt: skip
def test_words_that_stand_in_a_statement_but_do_not_mean_it(finding: str, text: str) -> None:
    """Each was once taken for an answer, most of them for the opposite: `pain` for no pain on walking."""
    assert "type" in refusal(finding, text)


def test_a_statement_typed_out_is_that_answer() -> None:
    for finding in SHIPPED.findings.values():
        for value, says in finding.values.items():
            if list(finding.values.values()).count(says) == 1:
                assert answer_to(finding, f" {says.upper()}. ") in (value, {value})


def test_unsure_may_be_in_the_list() -> None:
    assert answered("pelvis_mirror", "unsure") == "unsure"
    assert answered("pelvis_mirror", "skip") == "not_done"


def test_a_full_stop_says_nothing() -> None:
    assert answered("fever", "No.") == "no"
    assert answered("fever", "yes!") == "yes"
    assert answered("severity", "7.") == 7
    assert answers_to(SHIPPED, ALARMS, "None.") == answers_to(SHIPPED, ALARMS, "none")


def test_a_number_of_five_thousand_digits_is_no_crash() -> None:
    for finding in ("pain_site", "age_years", "weekly_km", "fever"):
        assert len(refusal(finding, "9" * 5000)) < 200


def test_several_of_a_list() -> None:
    for text in ("1 3", "1, 3", "1;3", "bending, extension", "bending and extension", "3 bending", "bending extension"):
        assert answered("aggravators", text) == {"bending", "extension"}, text
    assert answered("aggravators", "none") == {"none"}
    assert answered("aggravators", "1 3?") == {"bending", "unknown"}
    assert answered("aggravators", "1? 2?") is UNKNOWN
    assert "cannot be true together" in refusal("aggravators", "none, sitting")


def test_numbers_are_checked_at_once() -> None:
    assert answered("duration_days", "3 weeks") == 21
    assert refusal("severity", "11") == "11 lies outside 0 to 10 out of 10"
    assert refusal("temperature_c", "98.6") == "98.6 lies outside 34 to 43 °C"
    assert answered("temperature_c", "98.6 F") == 37
    assert refusal("age_years", "-5").startswith("-5 lies outside")
    assert refusal("age_years", "thirty") == "'thirty': it takes one number, in years"
    assert refusal("age_years", "").startswith("nothing was typed")


@pytest.mark.parametrize(
    ("text", "weeks"),
    [("40, 42, 38", (40, 42, 38)), ("40 42 38", (40, 42, 38)), ("40,42,38", (40, 42, 38)), ("40;42", (40, 42)),
     ("40,5 42,1", (40.5, 42.1)), ("40 km, 42 km", (40, 42)), ("40 km 42 km", (40, 42)),
     ("25 mi, 40 km", (40.23, 40)), ("10, 20 mi", (16.09, 32.19)), ("10 20 and 25 miles", (16.09, 32.19, 40.23))],
)  # fmt: skip
def test_a_list_of_numbers(text: str, weeks: tuple[float, ...]) -> None:
    assert answered("weekly_km", text) == weeks


def test_what_a_list_of_numbers_does_not_take() -> None:
    assert refusal("weekly_km", "40") == "2 to 8 numbers are needed, not 1"
    assert "takes one number" in refusal("weekly_km", ",")
    assert "lies outside" in refusal("weekly_km", "40 400")
    assert refusal("weekly_km", "25 mi, 40") == "'40': is that km or mi? Write the unit behind each number"
    assert "is that km or mi?" in refusal("weekly_km", "40 km, 42, 30 mi")
    assert "without the comma" in refusal("weekly_km", "1,000 1,200")


# several questions in one line


@pytest.mark.parametrize("text", ["38, f", "38,f", "38 f", "38; female", "38 years, fem", "38  F"])
def test_answers_with_commas_or_without(text: str) -> None:
    assert answers_to(SHIPPED, ("age_years", "sex"), text) == {"age_years": 38, "sex": "female"}


def test_numbers_with_units_need_no_commas() -> None:
    asked = ("severity", "duration_days", "self_care_days")
    for text in (
        "7, 3 weeks, 10 days",
        "7 3 weeks 10 days",
        "7; 3 wk; 10 d",
        "7,3 weeks,10 days",
        "7,21,10",
        "7 21 10",
    ):
        assert list(answers_to(SHIPPED, asked, text).values()) == [7, 21, 10], text
    assert list(answers_to(SHIPPED, asked, "7, ?, skip").values()) == [7, UNKNOWN, UNKNOWN]
    assert set(answers_to(SHIPPED, asked, "skip").values()) == {UNKNOWN}


def test_a_number_without_a_unit_beside_one_in_another() -> None:
    """`10, 12 miles` was once read as 10 km and then 19, a jump that nobody ran."""
    runs = ("prior_longest_km", "last_longest_km")
    assert refusal(runs, "10, 12 miles") == "'10': is that km or miles? Write the unit behind each number"
    assert (
        refusal(("duration_days", "self_care_days"), "6 weeks, 4")
        == "'4': is that days or weeks? Write the unit behind each number"
    )
    assert list(answers_to(SHIPPED, runs, "10 mi, 12 miles").values()) == [16.09, 19.31]
    for text in ("0, 12 miles", "?, 12 miles", "10 km, 12 miles", "10, 12 km"):
        assert answers_to(SHIPPED, runs, text)
    assert list(answers_to(SHIPPED, ("sitting_hours_day", "sleep_hours"), "10, 7 h 30").values()) == [10, 7.5]


def test_a_comma_is_a_decimal_one_or_stands_between_answers() -> None:
    """`2,5, 3, 8` lacks an answer, and `2,5 3 8` too; both were once read as the four answers 2, 5, 3 and 8."""
    weeks = ("strength_sessions_week", "stretch_sessions_week", "sitting_hours_day", "sleep_hours")
    for text in ("2,5, 3, 8", "2,5 3 8"):
        assert refusal(weeks, text).startswith("4 answers are needed")
    assert list(answers_to(SHIPPED, weeks, "1, 2, 8,5, 7,5").values()) == [1, 2, 8.5, 7.5]
    assert list(answers_to(SHIPPED, weeks, "1,2,8,7").values()) == [1, 2, 8, 7]


def test_a_fault_in_one_of_several_answers_names_its_question() -> None:
    assert refusal(("age_years", "sex"), "f, 38").startswith("age: 'f'")
    assert refusal(("age_years", "sex"), "38, femail").endswith("did you mean: female?")
    assert refusal(("age_years", "sex"), "38").startswith("2 answers are needed, with commas between them (age; sex")
    assert refusal(("severity", "duration_days"), "7, none").endswith(
        "type 0 if it is nothing at all, skip if you do not know"
    )


# checklists


def test_none_of_these_answers_every_line_with_no() -> None:
    for text in ("none", "no", "n", "0", "None of these", "nothing"):
        given_ = answers_to(SHIPPED, ALARMS, text)
        assert list(given_) == list(ALARMS)
        assert all(
            state in (SHIPPED.findings[name].clear, {SHIPPED.findings[name].clear}) for name, state in given_.items()
        )


def test_what_is_chosen_is_so_and_the_rest_is_not() -> None:
    for text in ("1 3", "1, 3", "1 and 3", "1;3", "numbness; cannot pass"):
        chosen = answers_to(SHIPPED, ALARMS, text)
        assert (chosen["saddle_numbness"], chosen["bladder_change"]) == ("yes", {"retention"}), text
        assert chosen["leg_weakness"] == "none"


def test_a_line_may_be_typed_out_commas_and_all() -> None:
    for sign in signs(SHIPPED, ALARMS):
        state = answers_to(SHIPPED, ALARMS, sign.says)[sign.finding]
        assert state in (sign.value, {sign.value})


def test_a_question_mark_is_no_answer_either_way() -> None:
    assert answers_to(SHIPPED, ALARMS, "1?")["saddle_numbness"] is UNKNOWN
    assert answers_to(SHIPPED, ALARMS, "3?")["bladder_change"] is UNKNOWN
    assert answers_to(SHIPPED, ALARMS, "2 3?")["bladder_change"] == {"hesitancy_or_reduced_feeling", "unknown"}
    assert answers_to(SHIPPED, ALARMS, "10? 11?")["leg_weakness"] is UNKNOWN
    assert set(answers_to(SHIPPED, ALARMS, "skip").values()) == {UNKNOWN}


def test_a_doubtful_line_never_gives_way_to_a_sure_one() -> None:
    """An old weakness for sure and a new one perhaps was once taken down as the old one alone."""
    assert "only one of these can be noted" in refusal(ALARMS, "10 11?")
    assert "how says which matters more" in refusal(ALARMS, "11 12")


def test_what_a_checklist_does_not_take() -> None:
    assert refusal(ALARMS, "14") == "there is no 14 in the list; it goes from 1 to 13"
    assert refusal(ALARMS, "1 none").startswith("'1 none' is not in the list")
    assert refusal(ALARMS, "none, 3") == "none cannot be said together with others"
    assert refusal(ALARMS, "urine").startswith("'urine' stands in several lines")
    assert "did you mean: numbness or changed feeling" in refusal(ALARMS, "numbeness")
    for text in ("", " ", ",", "yes", "no numbness", "1-3", "\x1b[A", "any", "with", "cannot", "1 no"):
        refusal(ALARMS, text)
    for text in ("fine", "normal", "ok"):  # `normal` was once taken for constipation "with normal control"
        assert refusal(ALARMS, text) == f"'{text}' names no line; type none if nothing of it is so"
    assert "did you mean" not in refusal(ALARMS, "help, my back hurts so much")


@pytest.mark.parametrize("sheet", TRIALS, ids=lambda sheet: sheet[0])
def test_none_says_nothing_of_tests_that_were_perhaps_not_done(sheet: tuple[str, ...]) -> None:
    """Who has tried nothing and types none would once have been taken as healthy."""
    for text in ("none", "no", "0", "none of these"):
        assert "could mean two things here" in refusal(sheet, text)
    for text in ("skip", "not done", "not checked", "?"):
        for name, state in answers_to(SHIPPED, sheet, text).items():
            assert state == (SHIPPED.findings[name].open or UNKNOWN)
    for text in ("fine", "All fine", "normal"):
        for name, state in answers_to(SHIPPED, sheet, text).items():
            assert state == SHIPPED.findings[name].clear


def test_there_are_such_sheets() -> None:
    assert len(TRIALS) >= 3


# whatever is typed

TYPED = st.text(max_size=60) | st.lists(
    st.sampled_from([*"0123456789?,;-.", " ", "none", "skip", "and", "fine", "yes", "no", "km", "weeks", "pain", "1:30", "²", "٣", "\x1b", "\ud800"]), max_size=12
).map(" ".join)  # fmt: skip


def every_sheet() -> list[tuple[Knowledge, tuple[str, ...]]]:
    alone = [(knowledge, (name,)) for knowledge in (SHIPPED, BICYCLE) for name in knowledge.findings]
    return [*alone, *((SHIPPED, sheet) for sheet in SHEETS)]


@settings(max_examples=400)
@given(asked=st.sampled_from(every_sheet()), text=TYPED)
@example(asked=(SHIPPED, ALARMS), text="9" * 5000)
def test_any_text_gives_valid_answers_or_is_refused(asked: tuple[Knowledge, tuple[str, ...]], text: str) -> None:
    """And what was answered is read from a case file as the same."""
    knowledge, findings = asked
    try:
        given_ = answers_to(knowledge, findings, text)
    except Refused:
        return
    assert tuple(given_) == findings
    for name, state in given_.items():
        assert read_answer(knowledge.findings[name], as_written(state)) == state


VALUES = {
    "number": lambda finding: st.floats(finding.range.low, finding.range.high).map(lambda n: f"{round(n, 4):.10g}"),
    "yes-no": lambda finding: st.sampled_from(["yes", "no"]),
    "one of": lambda finding: st.sampled_from(sorted(finding.values)),
    "any of": lambda finding: st.lists(
        st.sampled_from([v for v in finding.values if v not in finding.alone]), min_size=1
    ),
    "list of numbers": lambda finding: st.lists(VALUES["number"](finding), min_size=2, max_size=4),
}


@st.composite
def cases(draw: st.DrawFn, knowledge: Knowledge) -> dict[str, str | list[str]]:
    """Answers to some questions, in any order, valid ones or `unknown`; they may contradict each other."""
    names = draw(st.lists(st.sampled_from(sorted(knowledge.findings)), unique=True, max_size=25))
    return {
        name: draw(st.just("unknown") | VALUES[knowledge.findings[name].type](knowledge.findings[name]))
        for name in names
    }


@pytest.mark.parametrize("knowledge", [SHIPPED, BICYCLE], ids=["shipped", "bicycle"])
@given(data=st.data(), title=st.text(max_size=20), id=st.text(min_size=1, max_size=20))
@settings(max_examples=60)
def test_a_case_file_brings_everything_back(knowledge: Knowledge, data: st.DataObject, title: str, id: str) -> None:
    """Whatever `case_text` writes is read as the same case: answers, refusals, title."""
    from psoas.case import CaseReader
    from psoas.yamltext import parse

    case = make_case(knowledge, data.draw(cases(knowledge)), id=id, title=" ".join(title.split()))
    root = parse(case_text(knowledge, case).encode("utf-8", "surrogatepass"), "x")
    assert root is not None
    again = CaseReader(knowledge, "x").read(root, default_id="x")
    assert again.answers == case.answers
    assert again.rejected == case.rejected
    assert again.title == case.title


@given(data=st.data())
@settings(max_examples=200)
def test_what_is_written_is_understood_at_the_prompt(data: st.DataObject) -> None:
    """Every valid answer, typed as a case file has it, is that answer."""
    finding = SHIPPED.findings[data.draw(st.sampled_from(sorted(SHIPPED.findings)))]
    written = data.draw(VALUES[finding.type](finding))
    state = read_answer(finding, written)
    typed = written if isinstance(written, str) else ", ".join(written)
    assert answer_to(finding, typed) == state
