"""Each check finds the fault planted for it in a copy of the knowledge base, by name, and is silent on the sound one.

Every test that plants a fault was seen to fail with the checks yielding nothing.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import ROOT
from psoas.audit.casework.report import UNNOTICED
from psoas.audit.checking import CHECKS, STALE, UNUSABLE, audit, worked_cases
from psoas.audit.manual import check_ids, page, pages_home
from psoas.audit.report import Audit, Flaw, to_json, to_text
from psoas.audit.sarif import to_sarif
from psoas.audit.sentences import read_invariants
from psoas.knowledge.digest import digest as digest_of
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge, Review
from psoas_cli.main import psoas

KB = ROOT / "kb"
CASELESS = [name for name in CHECKS if name != "case-disagrees"]

Plant = Callable[..., list[Flaw]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped knowledge base, without its cases."""
    home = tmp_path / "kb"
    shutil.copytree(KB, home, ignore=shutil.ignore_patterns("cases", "schema"))
    return home


@pytest.fixture
def planted(copy: Path) -> Plant:
    """Plant a fault: text for a new file of rules, or (file, old text, new text); return what `check` finds then."""

    def plant(check: str, *changes: str | tuple[str, str, str], cases: tuple[str, ...] = ()) -> list[Flaw]:
        for number, change in enumerate(changes):
            if isinstance(change, str):
                (copy / "rules" / f"planted_{number}.yaml").write_text(change)
            else:
                file, old, new = change
                text = (copy / file).read_text()
                assert old in text, f"{file} has changed: {old!r} is gone"
                (copy / file).write_text(text.replace(old, new, 1))
        for case in cases:
            (copy / "cases").mkdir(exist_ok=True)
            shutil.copy(KB / "cases" / f"{case}.yaml", copy / "cases")
        knowledge = load(copy)
        return list(audit(knowledge, worked_cases(knowledge, copy / "cases", Path("kb/cases")), [check]).flaws)

    return plant


def rule(id: str, when: str, then: str = "then: tight_calves", **more: str) -> str:
    """Return a rule as YAML."""
    keys = {"strength": "weak", "because: planted": "", "sources": "[expert default]", **more}
    lines = [f"- id: {id}", f"  if: {when}", f"  {then}", "  because: planted"]
    return "\n".join([*lines, *(f"  {key}: {value}" for key, value in keys.items() if value)]) + "\n"


def block(file: str, id: str) -> str:
    """Return the text of one item of a file of the shipped knowledge base."""
    text = (KB / file).read_text()
    start = text.index(f"- id: {id}\n")
    return text[start : text.find("\n- ", start) + 1] if "\n- " in text[start:] else text[start:]


@pytest.fixture(scope="module")
def shipped(knowledge: Knowledge) -> Audit:
    """What the checks find in the shipped knowledge base, worked cases and invariants included."""
    sentences = read_invariants(knowledge, KB)
    return audit(knowledge, worked_cases(knowledge, KB / "cases", Path("kb/cases")), sentences=sentences)


def test_the_shipped_knowledge_base_passes(shipped: Audit) -> None:
    assert [flaw for flaw in shipped.flaws if flaw.severity == "error"] == []
    assert [flaw for flaw in shipped.flaws if flaw.check in ("undecided", STALE)] == []
    assert shipped.cases > 200


def test_every_suppression_carries_a_reason(shipped: Audit, knowledge: Knowledge) -> None:
    assert {id(reason) for _, reason in shipped.suppressed} == {id(item) for item in knowledge.suppressions}
    assert all(len(reason.because.split()) >= 4 for reason in knowledge.suppressions)


def test_every_check_has_a_page() -> None:
    assert set(check_ids()) == {*CHECKS, STALE, UNUSABLE, UNNOTICED}
    for check in check_ids():
        text = (pages_home() / f"{check}.md").read_text()
        assert "\n## Example\n" in text
        assert "\n## How to mend it\n" in text
        assert all((page(check).title, page(check).finds, page(check).do))
        assert f"[{check}]({check}.md) | {page(check).title}" in (pages_home() / "README.md").read_text()


# rules


def test_identical_rules(planted: Plant) -> None:
    one = rule("planted-one", "{all: [{quad_tight: yes}, {warm_up: no}]}")
    (flaw,) = planted("identical-rules", one + rule("planted-two", "{warm_up: no, quad_tight: yes}"))
    assert (flaw.item, flaw.others) == ("planted-two", ("planted-one",))
    assert flaw.place.line > 1


def test_equivalent_rules(planted: Plant) -> None:
    """A summary is read as its conditions, and a number by what it lets through."""
    text = rule("planted-one", "{all: [severe_pain, {warm_up: no}]}")
    text += rule("planted-two", "{severity: between 7 and 10, warm_up: no}")
    (flaw,) = planted("equivalent-rules", text)
    assert {flaw.item, *flaw.others} == {"planted-one", "planted-two"}


def test_a_subsumed_rule(planted: Plant) -> None:
    triage = rule("U99", "{severity: at least 9}", "level: see_clinician", name="planted", strength="")
    text = rule("planted-wide", "{quad_tight: yes}") + rule("planted-narrow", "{quad_tight: yes, warm_up: no}")
    found = {flaw.item: flaw for flaw in planted("subsumed-rule", text, triage)}
    assert found["planted-narrow"].others == ("planted-wide",)
    assert found["planted-narrow"].severity == "note"
    assert (found["U99"].others, found["U99"].severity) == (("K1",), "error")


def test_a_triage_rule_within_a_more_urgent_one_adds_nothing(planted: Plant) -> None:
    """Seen to fail with rules of one level alone."""
    text = rule("U99", "{saddle_numbness: yes}", "level: see_clinician", name="planted", strength="")
    (flaw,) = [flaw for flaw in planted("subsumed-rule", text) if flaw.item == "U99"]
    assert (flaw.others, flaw.severity) == (("E1",), "error")


def test_what_is_no_rule_may_be_written_twice_too(planted: Plant, copy: Path) -> None:
    dispute = """
- id: X-99
  question: Should tight hamstrings be stretched?
  bears: tight_hamstrings
  sides: [{says: No., sources: [S1-09]}, {says: Yes., sources: [S2-11]}]
  settled: [{says: It depends.}]
"""
    with (copy / "disagreements.yaml").open("a") as stream:
        stream.write(dispute)
    (flaw,) = planted("identical-rules")
    assert (flaw.item, flaw.others) == ("X-99", ("X-01",))


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{severity: more than 7}, {severity: less than 5}]}",
        "{all: [severe_pain, {severity: at most 6}]}",
        "{all: [{sex: male}, {sex: female}]}",
        "{all: [{leg_symptoms: includes none}, nerve_symptoms]}",
        "{all: [{severity: at least 3}, {not: {severity: answered}}]}",
    ],
)
def test_a_dead_rule(planted: Plant, when: str) -> None:
    (flaw,) = planted("dead-rule", rule("planted", when))
    assert (flaw.item, flaw.severity) == ("planted", "error")


def test_a_rule_always_blocked_is_dead(planted: Plant) -> None:
    (flaw,) = planted("dead-rule", rule("planted", "severe_pain", unless="{severity: at least 6}"))
    assert "unless" in flaw.message


def test_a_rule_on_a_dead_conclusion_is_dead(planted: Plant) -> None:
    dead = rule("planted", "{all: [{sex: male}, {sex: female}]}", "then: planted_state")
    conclusion = "- {id: planted_state, name: Planted, kind: state}\n"
    found = planted(
        "dead-rule",
        dead + rule("planted-on-top", "planted_state"),
        ("conclusions/mechanisms.yaml", "- id: pelvis_seen_neutral", conclusion + "- id: pelvis_seen_neutral"),
    )
    assert [flaw.item for flaw in found] == ["planted", "planted-on-top"]
    assert "planted_state" in found[1].message


def test_a_rule_on_answers_that_contradict_each_other_is_dead(planted: Plant) -> None:
    (flaw,) = planted("dead-rule", rule("planted", "{all: [{temperature_c: at least 39}, {fever: no}]}"))
    assert flaw.item == "planted"


NEVER = "{all: [{severity: at least 8}, {severity: less than 3}]}"


@pytest.mark.parametrize(
    ("file", "old", "new", "item"),
    [
        ("disagreements.yaml", "- if: {any: [stop_impact, severe_pain]}", f"- if: {NEVER}", "X-01"),
        ("disagreements.yaml", "- if: {pelvis_mirror: anterior}", "- if: {slr_leg_symptoms: yes}", "X-01"),  # said before
        ("contradictions.yaml", "if: {temperature_c: at least 38, fever: no}", f"if: {NEVER}", "a-temperature-of-38-is-a-fever"),
        ("findings/general_health.yaml", "applies: {pregnancy: pregnant}", f"applies: {NEVER}", "pregnancy_warning"),
        ("red_flags.yaml", "unless: {trauma_days: more than 14}", f"unless: {NEVER}", "E9"),
    ],
)  # fmt: skip
def test_a_condition_that_is_no_rules_may_be_dead(planted: Plant, file: str, old: str, new: str, item: str) -> None:
    """Seen to pass unnoticed with rules alone looked at."""
    assert {flaw.item for flaw in planted("dead-rule", (file, old, new))} == {item}


ALL = "{any: [{severity: at most 4}, {severity: more than 3}, {not: {severity: answered}}]}"


@pytest.mark.parametrize(
    ("file", "old", "new", "item"),
    [
        ("findings/general_health.yaml", "applies: {pregnancy: pregnant}", f"applies: {ALL}", "pregnancy_warning"),
        ("findings/the_pain.yaml", "applies: {self_care_days: at least 1}", "applies: {self_care_days: at least 0}", "self_care_helped"),
        ("red_flags.yaml", "unless: {trauma_days: more than 14}", f"unless: {ALL}", "E9"),
    ],
)  # fmt: skip
def test_a_condition_that_is_no_rules_may_be_always_true(
    planted: Plant, file: str, old: str, new: str, item: str
) -> None:
    assert item in {flaw.item for flaw in planted("always-true", (file, old, new))}


def test_what_may_fire_is_not_dead(planted: Plant) -> None:
    """A calculated number is free, a set may hold several words, an exception need not be answered."""
    text = rule("planted-one", "{all: [{leg_symptoms: includes tingling}, {leg_symptoms: includes numbness}]}")
    text += rule("planted-two", "{all: [severe_pain, {not: {sex: answered}}]}", unless="{sex: male}")
    assert planted("dead-rule", text) == []


@pytest.mark.parametrize("when", ["{severity: at least 0}", "{any: [{severity: at most 4}, {severity: more than 3}]}"])
def test_always_true(planted: Plant, when: str) -> None:
    (flaw,) = planted("always-true", rule("planted", when, strength="weak"))
    assert flaw.item == "planted"


def test_a_rule_that_fires_in_every_case(planted: Plant) -> None:
    (flaw,) = planted("always-true", rule("planted", "always"))
    assert flaw.item == "planted"


def test_a_redundant_part(planted: Plant) -> None:
    text = rule("planted-all", "{all: [{severity: at least 7}, {severity: at least 5}]}")
    text += rule("planted-any", "{any: [{trend: worsening}, worsening]}")
    assert {flaw.item for flaw in planted("redundant-part", text)} == {"planted-all", "planted-any"}


def test_opposite_conclusions(planted: Plant) -> None:
    found = planted(
        "opposite-conclusions", rule("planted", "{thomas_test: positive}", "then: tight_hip_flexors", kind="against")
    )
    errors = {(flaw.item, *flaw.others) for flaw in found if flaw.severity == "error"}
    assert errors == {("planted", "thomas-test-shows-tight-hip-flexors")}


def test_a_sign_against_within_the_sign_for_it_is_a_note(planted: Plant) -> None:
    """It may be an exception, as the shipped ones are."""
    text = rule("planted", "{plank_s: less than 45, strength_sessions_week: 0}", "then: weak_core", kind="against")
    found = [flaw for flaw in planted("opposite-conclusions", text) if "planted" in (flaw.item, *flaw.others)]
    assert [flaw.severity for flaw in found] == ["note"]
    assert "short-plank-shows-a-weak-core" in found[0].message


def test_conclusions_that_nothing_lets_be_true_together(planted: Plant) -> None:
    shows = rule("planted", "{pelvis_mirror: anterior}", "then: pelvis_seen_tipped_back")
    found = planted("opposite-conclusions", shows)
    assert any("planted" in (flaw.item, *flaw.others) for flaw in found)


# numbers


def test_a_gap_on_the_number_line(planted: Plant) -> None:
    (flaw,) = planted(
        "threshold-gap", rule("planted", "{severity: less than 2}") + rule("planted-2", "{severity: more than 2}")
    )
    assert (flaw.item, flaw.others) == ("planted-2", ("planted",))
    assert "exactly 2" in flaw.message


def test_a_gap_in_a_ladder(planted: Plant) -> None:
    old = "if: {single_run_spike_pct: more than 100}"
    (flaw,) = planted("threshold-gap", ("rules/training_load.yaml", old, old.replace("100", "120")))
    assert (flaw.item, flaw.others) == ("longest-run-more-than-doubled", ("longest-run-grew",))
    assert "between 100 and 120" in flaw.message


def test_an_overlap_in_a_ladder(planted: Plant) -> None:
    old = "{single_run_spike_pct: at most 100}"
    (flaw,) = planted("threshold-overlap", ("rules/training_load.yaml", old, old.replace("100", "120")))
    assert {flaw.item, *flaw.others} == {"longest-run-more-than-doubled", "longest-run-grew"}


def test_a_threshold_swapped_into_what_counts_against_it(planted: Plant) -> None:
    old = "if: {plank_s: at least 60}"
    found = planted("threshold-overlap", ("rules/core.yaml", old, old.replace("at least", "at most")))
    assert any("good-plank-counts-against-a-weak-core" in (flaw.item, *flaw.others) for flaw in found)


def test_a_threshold_against_its_words(planted: Plant) -> None:
    found = planted("threshold-reversed", ("rules/summaries.yaml", "{severity: at least 7}", "{severity: at most 7}"))
    assert {flaw.item for flaw in found} == {"severe-is-seven-or-more"}


@pytest.mark.parametrize(
    ("file", "old", "new", "item"),
    [
        ("withholding.yaml", "if: {age_years: at least 65}", "if: {age_years: less than 65}", "from-sixty-five-no-bending-under-load"),
        ("withholding.yaml", "if: {age_years: less than 18}", "if: {age_years: more than 18}", "under-eighteen-no-heavy-load"),
        ("withholding.yaml", "if: {severity: at least 6}", "if: {severity: at most 6}", "much-pain-no-hard-exercise"),
        ("red_flags.yaml", "if: {duration_days: at least 42}", "if: {duration_days: at most 42}", "K10"),
        ("red_flags.yaml", "if: {duration_days: at least 42}", "if: {duration_days: at least 43}", "K10"),
        ("rules/summaries.yaml", "unless: {age_years: less than 50,", "unless: {age_years: at least 50,", "pulsation"),
        ("rules/summaries.yaml", "duration_days: at least 90}", "duration_days: less than 90}", "claudication-for-months"),
        ("rules/summaries.yaml", "{severity: at least 7}", "{severity: at least 8}", "severe-is-seven-or-more"),
        ("contradictions.yaml", "{temperature_c: at least 38,", "{temperature_c: at most 38,", "a-temperature-of-38-is-a-fever"),
    ],
)  # fmt: skip
def test_a_threshold_against_the_words_of_what_is_no_cause(
    planted: Plant, file: str, old: str, new: str, item: str
) -> None:
    """Numbers in words, weeks for days, withholdings and contradictions. Seen to pass unnoticed without each."""
    assert {flaw.item for flaw in planted("threshold-reversed", (file, old, new))} == {item}


@pytest.mark.parametrize(
    ("check", "limit"),
    [("threshold-gap", "running_months: at least 7"), ("threshold-overlap", "running_months: at least 5")],
)
def test_a_ladder_of_rules_that_ask_for_something_else_too(planted: Plant, check: str, limit: str) -> None:
    """Seen to pass unnoticed with rules on one number alone."""
    (flaw,) = planted(
        check,
        (
            "rules/training_load.yaml",
            "running_months: at least 6}, {running_months: less than 12",
            f"{limit}}}, {{running_months: less than 12",
        ),
    )
    names = {"training-raised-too-fast-for-a-new-runner", "training-raised-too-fast-within-the-first-year"}
    assert {flaw.item, *flaw.others} == names


# what leads where


@pytest.mark.parametrize(
    ("lost", "finding"), [("E1", "saddle_numbness"), ("E4", "sexual_change"), ("E12", "confused_or_drowsy")]
)
def test_a_lost_red_flag(planted: Plant, lost: str, finding: str) -> None:
    (flaw,) = planted("lost-red-flag", ("red_flags.yaml", block("red_flags.yaml", lost), ""))
    assert (flaw.item, flaw.severity) == (finding, "error")


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("red_flags.yaml", block("red_flags.yaml", "U1"), "", "T-U1"),
        ("red_flags.yaml", block("red_flags.yaml", "U9"), "", "T-U9"),
        ("red_flags.yaml", block("red_flags.yaml", "U18"), "", "T-U18"),
        ("red_flags.yaml", "or recent_infection or diabetes", "or recent_infection", "T-U2"),
        ("red_flags.yaml", "if: {age_years: less than 18}", "if: {age_years: less than 17}", "I8"),
        ("red_flags.yaml", "unless: {trauma_days: more than 14}", "unless: {trauma_days: more than 7}", "I1-E9"),
        ("red_flags.yaml", "  if: {chest_symptoms: yes}", "  if: {chest_symptoms: yes}\n  unless: {trend: improving}", "I1-E11"),
        ("rules/summaries.yaml", "{age_years: at least 65}", "{age_years: at least 70}", "T-U5"),
    ],
)  # fmt: skip
def test_a_promise_of_the_invariants_that_is_kept_no_longer(
    planted: Plant, copy: Path, file: str, old: str, new: str, sentence: str
) -> None:
    """A lost or a weakened triage rule, named without a solver and without any worked case."""
    planted("lost-red-flag", (file, old, new))
    knowledge = load(copy)
    flaws = audit(knowledge, (), ["lost-red-flag"], read_invariants(knowledge, copy)).flaws
    assert sentence in {flaw.item for flaw in flaws}
    assert all(flaw.severity == "error" for flaw in flaws)
    assert all(flaw.place.line > 1 for flaw in flaws)


def test_a_weakened_summary_is_named_with_the_promise_it_breaks(planted: Plant, copy: Path) -> None:
    """Whoever looks for the rule finds its id. Seen to fail with the sentence and its questions alone."""
    planted("lost-red-flag", ("rules/summaries.yaml", "{age_years: at least 65}", "{age_years: at least 70}"))
    knowledge = load(copy)
    flaws = audit(knowledge, (), ["lost-red-flag"], read_invariants(knowledge, copy)).flaws
    assert flaws
    assert all("bones-at-risk" in flaw.message and "bones-at-risk" in flaw.others for flaw in flaws)


def test_a_lost_answer_of_a_red_flag(planted: Plant) -> None:
    old = "{bowel_change: [reduced_feeling, new_incontinence]}"
    (flaw,) = planted("lost-red-flag", ("red_flags.yaml", old, "{bowel_change: reduced_feeling}"))
    assert flaw.item == "bowel_change.new_incontinence"


def test_a_lost_red_flag_shows_in_the_cases(planted: Plant) -> None:
    """Also where the findings are used by another rule: the case that expects the level says so."""
    change = ("red_flags.yaml", block("red_flags.yaml", "E9"), "")
    found = planted("case-disagrees", change, cases=("E9-knocked-off-the-bicycle", "V12"))
    assert {flaw.item for flaw in found} == {"E9-knocked-off-the-bicycle"}
    assert "expects emergency_now" in found[0].message


def test_a_case_names_the_rule_that_was_turned_round(planted: Plant) -> None:
    change = ("rules/hips.yaml", "if: {thomas_test: positive}\n", "if: {thomas_test: stopped_pain}\n")
    found = planted("case-disagrees", change, cases=("V31",))
    assert any("thomas-test-shows-tight-hip-flexors" in flaw.message for flaw in found)


def test_a_case_that_cannot_be_read(planted: Plant, copy: Path) -> None:
    (copy / "cases").mkdir()
    (copy / "cases" / "broken.yaml").write_text("answers: {no_such_thing: yes}\n")
    (flaw,) = planted("case-disagrees")
    assert flaw.item == "broken"


def test_a_question_whose_order_hides_a_red_flag(planted: Plant) -> None:
    old = "    no: normal feeling between the legs\n"
    new = old + "  applies: {leg_symptoms: includes numbness}\n"
    (flaw,) = planted("hidden-red-flag", ("findings/emergency_signs.yaml", old, new))
    assert flaw.item == "saddle_numbness"
    assert "E1" in flaw.others


def test_causes_that_lead_nowhere(planted: Plant) -> None:
    cause = "- {id: planted_cause, name: Planted, kind: contributor, means: m, matters: m}\n"
    change = ("conclusions/contributors.yaml", "- id:", cause + "- id:")
    for check in ("cause-without-rule", "cause-without-remedy", "cause-without-outcome"):
        found = planted(check, change)
        change = ("conclusions/contributors.yaml", "- id:", "- id:")
        assert [flaw.item for flaw in found] == ["planted_cause"]


def test_what_nothing_uses(planted: Plant) -> None:
    finding = "- id: planted_finding\n  name: planted\n  question: Planted?\n  type: yes-no\n  values: {yes: planted, no: none}\n"
    change = ("findings/about_you.yaml", "- id:", finding + "- id:")
    assert [flaw.item for flaw in planted("unused-finding", change)] == ["planted_finding"]
    source = "- {id: E-99, kind: literature, says: planted}\n"
    found = planted("unused-source", ("sources/literature.yaml", "- id: E-01", source + "- id: E-01"))
    assert "E-99" in {flaw.item for flaw in found}


def test_an_answer_nothing_uses(planted: Plant) -> None:
    old = "if: {intensity_change_4wk: moderate}"
    found = planted("unused-value", ("rules/training_load.yaml", old, "if: {intensity_change_4wk: marked}"))
    assert any(flaw.item == "intensity_change_4wk" and "moderate" in flaw.others for flaw in found)


def test_a_conclusion_nothing_uses(planted: Plant) -> None:
    conclusion = "- {id: planted_state, name: Planted, kind: state}\n"
    change = ("conclusions/mechanisms.yaml", "- id: pelvis_seen_neutral", conclusion + "- id: pelvis_seen_neutral")
    assert "planted_state" in {flaw.item for flaw in planted("unused-conclusion", change)}


# remedies and sources


REMEDY = """- id: {id}
  name: {name}
  for: [tight_calves]
  if: {when}
  tier: relief
  when: daily
  traits: [{traits}]
  dose: [{{amount: {amount}, source: {source}}}]
  sources: [expert default]
"""


def remedy(
    id: str = "planted",
    when: str = "always",
    traits: str = "stretch",
    amount: str = "once",
    source: str = "expert default",
    name: str = "",
) -> tuple[str, str, str]:
    """Return the change that adds a remedy."""
    name = name or f"Planted as {id}"
    text = REMEDY.format(id=id, name=name, when=when, traits=traits, amount=amount, source=source)
    return "remedies/mobility.yaml", "- id: calf_stretch", text + "- id: calf_stretch"


def test_a_remedy_for_nothing(planted: Plant) -> None:
    (flaw,) = planted("remedy-for-nothing", remedy(when="{all: [severe_pain, {severity: less than 5}]}"))
    assert flaw.item == "planted"


def test_a_remedy_that_is_always_held_back(planted: Plant) -> None:
    hold = "- {id: planted-hold, if: {any: [tight_calves, severe_pain]}, withholds: [planted], because: p, sources: [expert default]}\n"
    change = ("withholding.yaml", "- id:", hold + "- id:")
    found = [flaw for flaw in planted("remedy-never-given", remedy(), change) if flaw.severity == "error"]
    assert [(flaw.item, flaw.others) for flaw in found] == [
        ("planted", ("planted-hold", "stop-impact-excludes-running-advice"))
    ]


def test_a_remedy_that_a_restricted_plan_leaves_out(planted: Plant) -> None:
    """Seen to pass unnoticed with withholdings alone looked at."""
    found = planted("remedy-never-given", remedy(when="{saddle_numbness: yes}"))
    assert [flaw.item for flaw in found if flaw.severity == "error"] == ["planted"]


def test_what_holds_a_remedy_back_is_named_in_words(planted: Plant) -> None:
    hold = "- {id: planted-hold, if: {any: [tight_calves, severe_pain]}, withholds: [planted], because: p, sources: [expert default]}\n"
    found = planted("remedy-never-given", remedy(), ("withholding.yaml", "- id:", hold + "- id:"))
    assert any("planted-hold" in flaw.message for flaw in found)


def test_remedies_opposed_in_their_names_alone(planted: Plant) -> None:
    one, other = (
        remedy("planted_a", name="Lean forward from the feet"),
        remedy("planted_b", name="Lean backward from the feet"),
    )
    (flaw,) = planted("opposing-remedies", one, ("remedies/mobility.yaml", *other[1:]))
    assert {flaw.item, *flaw.others} == {"planted_a", "planted_b"}


def test_opposing_remedies(planted: Plant) -> None:
    (flaw,) = planted(
        "opposing-remedies", remedy("planted_more"), ("remedies/mobility.yaml", *remedy("planted_less")[1:])
    )
    assert {flaw.item, *flaw.others} == {"planted_more", "planted_less"}


@pytest.mark.parametrize(
    ("amount", "source", "said"),
    [
        ("3 sets of 10", "S1-13", "gives no dose"),
        ("5 sets of 20 with a 2-second hold", "S0-06", "does not give 5, 20"),
        ("10 sets of 3 with a 2-second hold", "S0-06", "does not give 10 sets of 3"),
        ("after 1 to 2 months", "S4-55", "does not give 2 months"),
        ("as often as you like", "S0-06", "does not give “as often"),
    ],
)
def test_a_dose_from_nowhere(planted: Plant, amount: str, source: str, said: str) -> None:
    (flaw,) = planted("dose-not-in-source", remedy(amount=amount, source=source))
    assert (flaw.item, flaw.others) == ("planted", (source,))
    assert said in flaw.message


def test_a_dose_that_its_source_gives(planted: Plant) -> None:
    assert planted("dose-not-in-source", remedy(amount="three sets of 10 with a 2-second hold", source="S0-06")) == []


def test_a_claim_not_accounted_for(planted: Plant) -> None:
    (flaw,) = planted(
        "claim-unaccounted", ("not_modelled.yaml", "[S1-01, S1-02, S3-02, S4-03]", "[S1-01, S1-02, S3-02]")
    )
    assert flaw.item == "S4-03"


def test_a_claim_in_two_minds(planted: Plant) -> None:
    (flaw,) = planted("claim-in-two-minds", rule("planted", "{quad_tight: yes}", sources="[S4-03]"))
    assert (flaw.item, flaw.others) == ("S4-03", ("planted",))


# suppressions and reports


def test_a_suppression_hides_a_flaw_and_tells_so(copy: Path) -> None:
    (copy / "rules" / "planted.yaml").write_text(rule("planted", "{all: [{sex: male}, {sex: female}]}"))
    lines = "- {check: dead-rule, item: planted, because: it is a test}\n- {check: dead-rule, item: other, because: it is none}\n"
    (copy / "suppressions.yaml").write_text(lines)
    found = audit(load(copy), (), ["dead-rule"])
    assert [(flaw.item, reason.because) for flaw, reason in found.suppressed] == [("planted", "it is a test")]
    assert [(flaw.check, flaw.item) for flaw in found.flaws] == [(STALE, "other")]
    assert "it is a test" in to_text(found)


def test_suppressions_do_not_change_the_digest(copy: Path, knowledge: Knowledge) -> None:
    from psoas.knowledge.digest import knowledge_digest

    (copy / "suppressions.yaml").unlink()
    assert knowledge_digest(load(copy)) == knowledge_digest(knowledge)


def test_the_text_is_for_people(shipped: Audit) -> None:
    text = to_text(shipped)
    assert all(len(line) <= 80 or " " not in line.strip() for line in text.splitlines())
    assert text.splitlines()[-2].startswith("Sound") or text.splitlines()[-1].startswith("Sound")
    for flaw in shipped.flaws:
        assert f"{flaw.place.file}:{flaw.place.line}:" in text
        assert page(flaw.check).address in text


def test_the_sarif_is_sound(shipped: Audit) -> None:
    (run,) = json.loads(to_sarif(shipped))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert {each["id"] for each in rules} >= set(CHECKS)
    assert all(each["helpUri"] and each["shortDescription"]["text"] for each in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("kb/")
    assert sum("suppressions" in result for result in run["results"]) == len(shipped.suppressed)


def test_two_flaws_of_one_item_are_two_results(planted: Plant, copy: Path) -> None:
    """A code host drops the second of one fingerprint. Seen to fail: the two had the same."""
    parts = "{all: [{severity: at least 7}, {severity: at least 5}, {any: [{trend: worsening}, worsening]}]}"
    assert len(planted("redundant-part", rule("planted", parts))) == 2
    (run,) = json.loads(to_sarif(audit(load(copy), (), ["redundant-part"])))["runs"]
    results = [result for result in run["results"] if "suppressions" not in result]
    prints = [result["partialFingerprints"]["item/v1"] for result in results]
    assert len(set(prints)) == len(prints) == 2
    for result in results:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert min(region.values()) >= 1


def test_the_json_holds_every_flaw(shipped: Audit) -> None:
    record = json.loads(to_json(shipped))
    assert record["format"] == "psoas.audit/1"
    assert len(record["flaws"]) == len(shipped.flaws)
    assert all(flaw["mend"] and flaw["file"] and flaw["page"] for flaw in record["flaws"])


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(psoas, ["audit", "check", *arguments])
    return done.exit_code, done.output


def test_exit_codes(copy: Path) -> None:
    assert run("--kb", str(copy), "--only", "dead-rule")[0] == 0
    (copy / "rules" / "planted.yaml").write_text(rule("planted", "{all: [{sex: male}, {sex: female}]}"))
    code, text = run("--kb", str(copy), "--only", "dead-rule")
    assert code == 1
    assert "rules/planted.yaml:1" in text
    assert "What to do:" in text
    assert run("--kb", str(copy), "--only", "dead-rule", "--fail-level", "never")[0] == 0
    assert run("--kb", str(copy), "--only", "unused-conclusion", "--fail-level", "warning")[0] == 1
    assert run("--only", "no-such-check")[0] == 2
    assert run("--kb", str(copy / "rules"))[0] == 2


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_what_cannot_be_loaded_is_reported_too(copy: Path, form: str) -> None:
    """A mechanism cycle, and a rule without a source, are refused by the loader; a tool is told which and where."""
    text = rule("planted-a", "weak_glutes", "then: tight_calves") + rule(
        "planted-b", "tight_calves", "then: weak_glutes"
    )
    (copy / "rules" / "planted.yaml").write_text(text)
    code, output = run("--kb", str(copy), "--format", form)
    assert code == 2
    assert "cycle" in output
    assert "planted-a" in output


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_what_cannot_be_loaded_names_its_item(copy: Path, form: str) -> None:
    """The loader gives a place; whoever looks for the item finds its id. Seen to fail: there stood a key and a line."""
    text = (copy / "rules" / "core.yaml").read_text()
    start = text.index("  sources:", text.index("- id: short-plank-shows-a-weak-core"))
    (copy / "rules" / "core.yaml").write_text(text[:start] + text[text.index("\n", start) + 1 :])
    code, output = run("--kb", str(copy), "--format", form)
    assert code == 2
    assert "short-plank-shows-a-weak-core" in output
    assert "sources" in output


def test_invariants_that_cannot_be_read_are_reported(copy: Path) -> None:
    (copy / "invariants.yaml").write_text("- {id: I, says: s, then: {disposition: self_car}}\n")
    code, output = run("--kb", str(copy), "--only", "dead-rule")
    assert code == 2
    assert "invariants.yaml:1" in output
    assert "self_care" in output


@pytest.mark.parametrize(
    ("verdict", "digest", "check"), [("agree", "0" * 64, "stale-signature"), ("disagree", "", "disputed-signature")]
)
def test_a_signature_that_no_longer_counts_or_says_no_is_found(
    verdict: str, digest: str, check: str, knowledge: Knowledge
) -> None:
    rule = knowledge.rules["K7"]
    review = Review(
        of="K7",
        digest=digest or digest_of(rule),
        verdict=verdict,
        by="A",
        qualification="physiotherapist",
        on="2026-01-01",
    )
    flaws = audit(dataclasses.replace(knowledge, reviews=(review,)), only=[check]).flaws
    assert [(flaw.check, flaw.item, flaw.severity) for flaw in flaws] == [(check, "K7", "error")]
