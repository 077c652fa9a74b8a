"""The shell is one: a knowledge base on bicycle brakes is consulted, explained and phrased like any other.

Everything said here comes from kb_bicycle/: its levels, kinds, tiers and words are its own.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

import psoas
from psoas.case import make_case, read_case
from psoas.consultation import Consultant
from psoas.faults import Unusable
from psoas.knowledge.digest import digest
from psoas.knowledge.language import read_condition
from psoas.knowledge.load import load
from psoas.knowledge.reader import Reader
from psoas.readings.phrase import Phrases
from psoas.telling.advice import advice
from psoas.telling.explanation import explanation
from psoas.telling.markdown import to_markdown
from psoas.telling.plain import to_text
from psoas.telling.record import record, to_json

TESTS = Path(__file__).parent
BICYCLE = TESTS / "kb_bicycle"

SAFE = {"lever_to_bar": "no", "cable_or_hose": "sound", "brake_type": "disc"}
"""Answers with which no safety rule can fire any more."""


@pytest.fixture(scope="module")
def consultant():
    return Consultant(load(BICYCLE))


@pytest.fixture
def consult(consultant):
    """Return the consultation on the answers given over those that make it safe."""
    return lambda **answers: consultant.consult(make_case(consultant.knowledge, {**SAFE, **answers}))


@pytest.fixture
def consult_file(consultant):
    """Return the consultation on one of the knowledge base's own cases."""
    return lambda name: consultant.consult(read_case(consultant.knowledge, BICYCLE / "cases" / f"{name}.yaml"))


def text_of(document):
    """Return the document on one line, so that no line break stands between its words."""
    return " ".join(to_text(document).split())


def causes(consultation):
    return [cause.id for cause in consultation.causes]


def given(consultation):
    return {remedy.id for remedy in consultation.remedies}


def held(consultation):
    return {remedy.id: set(remedy.because) for remedy in consultation.withheld}


# Levels


def test_a_bicycle_is_fit_to_ride_once_every_safety_rule_is_settled(consult):
    it = consult()
    assert it.level.name == "Ride on"
    assert it.triage.settled
    assert text_of(advice(it)).startswith("Ride on; review in 30 days Nothing you reported speaks against riding.")


def test_it_cannot_be_said_while_a_safety_question_was_not_asked(consultant):
    it = consultant.consult(make_case(consultant.knowledge, {"squeal_when": "wet"}))
    assert it.triage.level == "cannot_say"
    assert set(it.triage.missing) == {"lever_to_bar", "cable_or_hose", "brake_type", "rim_state"}
    assert given(it) == {"pull_test"}
    assert "Cannot say yet" in text_of(advice(it))


def test_a_safety_question_nobody_can_answer_sends_to_the_workshop(consult):
    it = consult(lever_to_bar="unknown")
    assert it.triage.level == "visit_workshop"
    assert not it.triage.settled


def test_the_rim_is_no_question_on_a_bicycle_with_disc_brakes(consult):
    assert consult().triage.settled
    rim = consult(brake_type="rim")
    assert rim.triage.missing == ("rim_state",)
    assert consult(brake_type="rim", rim_state="clean").triage.settled


@pytest.mark.parametrize(
    ("answers", "rule", "danger"),
    [
        ({"lever_to_bar": "yes"}, "T1", "brake_may_fail"),
        ({"cable_or_hose": "leaking"}, "T2", "brake_may_fail"),
        ({"brake_type": "rim", "rim_state": "cracked"}, "T3", "rim_may_burst"),
    ],
)
def test_a_danger_stops_the_ride_and_is_named_first(consult, answers, rule, danger):
    it = consult(pad_mm="0.2", **answers)
    assert it.level.name == "DO NOT RIDE"
    assert it.triage.fired[0] == rule
    assert causes(it)[0] == danger


def test_the_most_urgent_of_several_levels_counts(consult):
    it = consult(service_months="30", cable_or_hose="frayed")
    assert it.triage.level == "do_not_ride"
    assert it.triage.fired == ("T2", "T4")


def test_a_triage_rule_can_be_lifted_by_any_conclusion_of_a_kind(consult):
    assert consult(spray_used="yes").triage.fired == ("T5",)
    assert consult(spray_used="yes", cable_or_hose="frayed").triage.fired == ("T2",)


# Causes and chains


def test_a_sign_that_is_seen_names_its_cause(consult):
    it = consult(disc_state="oily")
    assert causes(it) == ["oily_disc"]
    assert it.causes[0].certainty == pytest.approx(0.9)
    assert it.causes[0].kind == "culprit"


def test_a_chain_leads_from_what_was_reported_to_the_trouble(consult):
    it = consult(load_kg="130", squeal_when="downhill", pad_mm="2")
    assert it.causes[0].chain == ("load_kg", "hard_use", "worn_pads", "little_grip", "bad_brakes")
    assert (
        "a load of 130 kg → the brake is used hard → worn pads → the pads hardly grip → squeal and long stops"
        in text_of(explanation(it, "worn_pads"))
    )
    assert it.causes[0].evidence == "workshop experience"


def test_two_rules_for_one_cause_add_up_and_one_against_it_takes_away(consult):
    seen = consult(disc_state="oily").causes[0].certainty
    both = consult(disc_state="oily", spray_used="yes").causes[0].certainty
    doubted = consult(disc_state="clean", spray_used="yes").causes[0].certainty
    assert both == pytest.approx(1 - (1 - 0.9) * (1 - 0.6))
    assert doubted == 0.0
    assert doubted < seen < both


@pytest.mark.parametrize(("pad_mm", "worn"), [("2.9", True), ("3", False), ("unknown", True)])
def test_unless_blocks_only_where_it_is_known_to_hold(consult, pad_mm, worn):
    it = consult(load_kg="130", squeal_when="downhill", pad_mm=pad_mm)
    assert ("worn_pads" in causes(it)) is worn


@pytest.mark.parametrize(("pad_mm", "glazed"), [("2", True), ("0.5", False), ("unknown", False)])
def test_not_means_answered_and_not_so(consult, pad_mm, glazed):
    assert ("glazed_pads" in causes(consult(disc_state="shiny", pad_mm=pad_mm))) is glazed


@pytest.mark.parametrize(
    ("answers", "hard"),
    [
        ({"load_kg": "130"}, False),
        ({"load_kg": "130", "squeal_when": "downhill"}, True),
        ({"load_kg": "130", "weekly_km": ["10", "10", "14"]}, True),
        ({"load_kg": "100", "weekly_km": ["10", "10", "14"], "squeal_when": ["wet", "downhill"]}, True),
        ({"load_kg": "100", "weekly_km": ["10", "10", "11"], "squeal_when": ["wet", "downhill"]}, False),
    ],
)
def test_two_of_three_are_enough_and_one_is_not(consult, answers, hard):
    assert ("hard_use" in consult(**answers).reasoning.established) is hard


def test_a_calculated_number_is_said_with_its_unit(consult):
    it = consult(weekly_km=["10", "10", "14"], squeal_when="downhill")
    assert "distance_rise_pct" in it.reasoning.firings["two-loads-at-once-are-hard-use"].findings
    assert "a rise of 40 % in distance" in text_of(explanation(it, "hard_use"))


def test_a_cause_is_called_by_the_words_of_its_own_scale(consult):
    assert "Oil on the disc (all but sure, 0.90)" in text_of(advice(consult(disc_state="oily")))
    assert "Oil on the disc (probable, 0.60)" in text_of(advice(consult(spray_used="yes")))


def test_causes_stand_under_the_headings_of_their_kinds(consult):
    titles = [section.title for section in advice(consult(cable_or_hose="frayed", disc_state="oily")).sections]
    assert titles.index("What could fail") < titles.index("What is behind it")


# Remedies


def test_remedies_for_the_causes_are_given_by_occasion(consult):
    it = consult(disc_state="shiny", pad_mm="2", load_kg="85")
    assert [(remedy.id, remedy.occasion) for remedy in it.remedies] == [
        ("pull_test", "before_riding"),
        ("sand_pads", "at_the_bench"),
        ("bed_in", "next_ride"),
    ]
    titles = text_of(advice(it))
    assert titles.index("Before you ride") < titles.index("At the bench") < titles.index("On the next ride")


def test_what_exceeds_the_cap_of_an_occasion_is_for_later(consult_file):
    it = consult_file("mirror")
    starts = {remedy.id: remedy.start for remedy in it.remedies if remedy.occasion == "at_the_bench"}
    assert starts == {"sand_pads": "now", "new_pads": "later"}
    assert "Later, or instead: New pads (new_pads), for worn pads." in text_of(advice(it))


@pytest.mark.parametrize(
    ("load_kg", "amount"), [("85", "17 stops"), ("150", "30 stops"), ("unknown", "20 stops"), ("900", "20 stops")]
)
def test_a_dose_is_worked_out_from_the_answers_or_falls_back(consult, load_kg, amount):
    doses = {remedy.id: remedy.dose for remedy in consult(pad_mm="0.5", load_kg=load_kg).remedies}
    assert doses["bed_in"] == ((f"{amount} from a brisk pace", "M-2"),)


def test_a_remedy_is_held_back_by_its_trait_with_the_reason(consult):
    it = consult(disc_state="shiny", pad_mm="2", spray_used="yes")
    assert held(it) == {
        "sand_pads": {"oil-is-not-sanded-away"},
        "bed_in": {"no-hard-stops-with-a-heavy-load"},  # by the level, which is a symbol too
    }
    assert "Sanding the pads because oil has soaked into the pad" in text_of(advice(it))


def test_a_remedy_is_held_back_by_its_name(consult):
    it = consult(brake_type="rim", rim_state="dirty", squeal_when="wet", load_kg="160")
    assert held(it) == {"wash_rim": {"no-hard-stops-with-a-heavy-load"}}
    assert "wash_rim" in given(consult(brake_type="rim", rim_state="dirty", squeal_when="wet", load_kg="150"))


def test_while_the_ride_is_stopped_only_the_restricted_tier_is_given(consult):
    it = consult(lever_to_bar="yes", pad_mm="0.5")
    assert given(it) == {"pull_test"}
    assert set(held(it)) == {"new_pads", "bed_in"}


def test_given_and_held_back_never_overlap(consultant):
    for name in sorted((BICYCLE / "cases").iterdir()):
        it = consultant.consult(read_case(consultant.knowledge, name))
        assert not given(it) & held(it).keys()


# Disagreements


def test_a_dispute_shows_where_it_bears_and_is_settled_by_the_case(consult):
    assert consult().disputes == ()
    (plain,) = consult(disc_state="shiny", pad_mm="2").disputes
    assert plain.settled == "Once is worth a try."
    (oily,) = consult(disc_state="shiny", pad_mm="2", spray_used="yes").disputes
    assert oily.settled.startswith("Not here")
    assert oily.sources == ("M-2", "F-1")


# Answers refused


def test_answers_that_contradict_each_other_count_as_unknown(consult):
    it = consult(pad_mm="5.5", km_on_pads="30000")
    assert {item.finding: item.reason for item in it.case.rejected} == {
        "pad_mm": "no pad is as good as new after so long",
        "km_on_pads": "no pad is as good as new after so long",
    }
    assert it.memory.is_open("pad_mm")
    assert "Answers that could not be used" in text_of(advice(it))


def test_never_excludes_every_other_answer(consult):
    (refused,) = consult(squeal_when=["never", "wet"]).case.rejected
    assert refused.reason == "'never' cannot be true together with another answer"


def test_an_unknown_finding_is_refused_with_the_nearest_of_this_knowledge_base(consultant):
    with pytest.raises(Unusable, match=r"did you mean brake_type\?"):
        make_case(consultant.knowledge, {"break_type": "rim"})


# What next


def test_the_next_questions_are_those_that_can_still_change_something(consult):
    asked = [question.finding for question in consult(disc_state="oily", service_months="30").questions]
    assert set(asked) == {"pad_mm", "load_kg", "squeal_when", "weekly_km"}  # all for worn pads; nothing of rims


def test_a_question_that_bears_on_a_level_comes_before_one_that_bears_on_a_cause(consult):
    questions = consult(disc_state="clean").questions
    assert {q.finding for q in questions if q.levels} == {"service_months", "spray_used"}
    assert [bool(q.levels) for q in questions] == sorted((bool(q.levels) for q in questions), reverse=True)


def test_every_single_answer_that_would_stop_the_ride_is_named(consult):
    turns = {(turn.finding, turn.after) for turn in consult().turns if turn.disposition == "do_not_ride"}
    assert turns == {("lever_to_bar", "yes"), ("cable_or_hose", "frayed"), ("cable_or_hose", "leaking")}
    said = text_of(advice(consult()))
    assert "→ do not ride, if a frayed cable; a leaking hose; the lever reaches the handlebar" in said


def test_an_answer_that_turns_the_advice_does_turn_it(consult, consultant):
    before = consult()
    for turn in before.turns:
        after = {**before.case.answers, turn.finding: turn.after}
        plain = {k: sorted(v) if isinstance(v, frozenset) else str(v) for k, v in after.items()}
        assert consultant.consult(make_case(consultant.knowledge, plain)).triage.level == turn.disposition


# Explaining and phrasing


def test_a_conclusion_is_explained_by_its_rules_its_answers_and_its_sources(consult):
    said = text_of(explanation(consult(disc_state="oily"), "oily_disc"))
    assert "Oil on the disc [oily_disc]" in said
    assert "an-oily-film-is-oil" in said
    assert "here an oily film on the disc" in said
    assert "How brakes are kept in order." in said
    assert "The brake manual" not in said  # the claim is cited, not the whole book


def test_what_did_not_come_about_is_explained_by_what_was_missing(consult):
    said = text_of(explanation(consult(disc_state="shiny", pad_mm="0.5"), "glazed_pads"))
    assert "It is not established in this case." in said
    assert "a-mirror-shows-glazing yes a disc polished like a mirror no" in said


def test_what_blocked_a_rule_is_named(consult):
    said = text_of(explanation(consult(disc_state="shiny", pad_mm="2", spray_used="yes"), "pads_chatter"))
    assert "blocked by oil on the disc" in said


def test_every_id_of_the_knowledge_base_can_be_explained_in_every_case(consultant):
    know = consultant.knowledge
    ids = [
        *know.conclusions,
        *know.rules,
        *know.remedies,
        *know.withholdings,
        *know.disagreements,
        *know.findings,
        *(level.id for level in know.manifest.dispositions),
    ]
    for case in sorted((BICYCLE / "cases").iterdir()):
        it = consultant.consult(read_case(know, case))
        for name in ids:
            document = explanation(it, name)
            assert to_text(document).strip()
            assert to_markdown(document).startswith("# ")


def test_a_calculated_finding_can_be_explained(consult):
    said = text_of(explanation(consult(weekly_km=["10", "14"], squeal_when="downhill"), "distance_rise_pct"))
    assert "rise(last(weekly_km)" in said


def test_a_rule_is_phrased_in_the_words_of_its_findings(consultant):
    phrases, rules = Phrases(consultant.knowledge), consultant.knowledge.rules
    assert phrases.rule(rules["a-dirty-rim-is-seen"]) == (
        "If a dirty rim and (a squeal in the dry or a squeal in the wet), this suggests dirt on the rim (telling): "
        "grit on the rim sings."  # with brackets, once the known defect below is mended
    )
    assert phrases.rule(rules["hard-use-wears-pads"]) == (
        "If the brake is used hard, unless at least 3 mm of pad left, this may lead to worn pads (hint): "
        "heat and weight eat the pads."
    )
    assert phrases.rule(rules["T5"]) == (
        "If oil on the disc, unless any danger is established, the advice is “Visit a workshop”: "
        "oily pads have to be replaced."
    )
    assert phrases.rule(rules["a-clean-disc-speaks-against-oil"]) == (
        "If a clean disc, this counts against oil on the disc (telling): oil leaves a film."
    )


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            "{rim_state: dirty, squeal_when: includes wet or dry}",
            "a dirty rim and (a squeal in the dry or a squeal in the wet)",
        ),
        ("{not: {disc_state: [clean, oily]}}", "not: (a clean disc or an oily film on the disc)"),
        ("{not: {all: [{rim_state: dirty}, {spray_used: yes}]}}", "not all of: a dirty rim; spray used near the brake"),
    ],
)
def test_a_condition_can_be_read_in_one_way_only(consultant, condition, said):
    node = yaml.compose(condition, Loader=yaml.BaseLoader)
    read = read_condition(Reader("here", consultant.knowledge.vocabulary), node)
    assert Phrases(consultant.knowledge).condition(read) == said


def test_a_bound_is_phrased_as_precisely_as_it_is_tested(consultant):
    rule = consultant.knowledge.rules["thin-pads-are-worn"]
    assert "less than 0.75 mm of pad left" in Phrases(consultant.knowledge).rule(rule)


def test_an_answer_is_said_as_it_was_given(consult):
    assert "0.74 mm of pad left" in text_of(advice(consult(pad_mm="0.74")))


def test_nothing_left_is_not_less_than_nothing(consult):
    assert "-0" not in text_of(advice(consult(pad_mm="-0")))


def test_a_level_that_can_only_stay_is_given_no_range(consultant):
    it = consultant.consult(make_case(consultant.knowledge, {"cable_or_hose": "frayed"}))
    assert it.triage.within == ("do_not_ride", "do_not_ride")
    assert "anything from" not in text_of(advice(it))


def test_the_word_for_a_faint_cause_is_said_as_it_is_written(consult_file):
    said = text_of(advice(consult_file("mirror")))
    assert "No more than perhaps: worn pads." in said
    assert "perhapss" not in said


def test_an_empty_list_is_told_the_word_that_this_question_has_for_none(consult):
    (refused,) = consult(squeal_when=[]).case.rejected
    assert "never" in refused.reason


# Record


def test_the_record_is_json_in_the_words_of_the_knowledge_base(consult_file):
    it = consult_file("oil")
    data = json.loads(to_json(it))
    assert data["format"] == "psoas.consultation/1"
    assert data["disposition"]["level"] == "visit_workshop"
    assert data["disposition"]["because"] == [{"rule": "T5", "findings": ["brake_type", "spray_used"]}]
    assert [cause["kind"] for cause in data["causes"]] == ["culprit", "culprit"]
    assert {remedy["when"] for remedy in data["remedies"]} <= {"before_riding", "at_the_bench", "next_ride"}


def test_the_same_case_says_the_same_whatever_order_its_answers_stand_in(consultant):
    answers = {**SAFE, "disc_state": "shiny", "pad_mm": "2", "spray_used": "yes", "load_kg": "130"}
    turned = dict(reversed(answers.items()))
    one, other = (record(consultant.consult(make_case(consultant.knowledge, a))) for a in (answers, turned))
    assert json.dumps(one) == json.dumps(other)


# Signatures


def test_a_signature_under_an_earlier_wording_is_stale(consult):
    it = consult()
    assert (it.signatures.signed, it.signatures.stale) == (0, 1)
    assert "(1 signed before a later change)" in text_of(advice(it))


def test_a_signature_under_the_present_wording_counts(tmp_path):
    kb = tmp_path / "kb"
    shutil.copytree(BICYCLE, kb)
    signed = digest(load(kb).rules["thin-pads-are-worn"])
    reviews = kb / "reviews.yaml"
    reviews.write_text(re.sub('"0+"', signed, reviews.read_text()))
    it = Consultant(load(kb))._signatures
    assert (it.signed, it.stale) == (1, 0)


# Each finding has a condition of its own


def test_findings_on_one_line_apply_each_by_its_own_condition(tmp_path):
    kb = tmp_path / "kb"
    shutil.copytree(BICYCLE, kb)
    about = "question: G?, type: yes-no, values: {yes: grease, no: none}"
    (kb / "findings" / "brakes_more.yaml").write_text(
        f"[{{id: a, name: a, {about}, applies: {{brake_type: disc}}}}, "
        f"{{id: b, name: b, {about}, applies: {{brake_type: rim}}}}]\n"
    )
    manifest = kb / "knowledge.yaml"
    manifest.write_text(manifest.read_text().replace("topics: [", "topics: [brakes_more, "))
    findings = load(kb).findings
    assert findings["a"].applies != findings["b"].applies


# No rule may look at the level it helps to decide


@pytest.mark.parametrize(
    "how", ["if: {all: [ride_on, {load_kg: at least 100}]}", "if: {load_kg: at least 100}\n  unless: ride_on"]
)
@pytest.mark.parametrize("what", ["level: do_not_ride", "then: brake_may_fail\n  strength: plain"])
def test_a_rule_that_depends_on_a_level_is_refused(tmp_path, how, what):
    kb = tmp_path / "kb"
    shutil.copytree(BICYCLE, kb)
    (kb / "rules" / "more.yaml").write_text(f"- id: T9\n  {what}\n  {how}\n  because: it is heavy\n  sources: [M-1]\n")
    with pytest.raises(Unusable, match="ride_on"):
        load(kb)


# Nothing of another subject in the shell


SUBJECT = re.compile(
    r"\b(exercis\w*|stretch\w*|runn(er|ers|ing)|clinic\w*|medical|patient\w*|physio\w*|doctor\w*|pelvis|back pain)\b",
    re.IGNORECASE,
)


def words_said(path):
    """Yield (line, text) of every string in a module that is no docstring."""
    tree = ast.parse(path.read_text())
    notes = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.lineno, node.value


def test_no_word_of_another_subject_stands_in_the_shell():
    engine = Path(psoas.__file__).parent
    found = [
        f"{path.relative_to(engine)}:{line}: {word.group()}"
        for path in sorted(engine.rglob("*.py"))
        for line, text in words_said(path)
        for word in [SUBJECT.search(text)]
        if word
    ]
    assert found == []


@pytest.mark.parametrize("case", ["mirror", "oil", "frayed", "first_question"])
def test_no_word_of_another_subject_is_said_of_a_bicycle(case, consult_file):
    it = consult_file(case)
    for name in ("do_not_ride", "worn_pads", "bed_in"):
        assert not SUBJECT.search(text_of(explanation(it, name)))
    assert not SUBJECT.search(text_of(advice(it)))
