"""Safety: the triage rules say what was agreed, and the sixteen invariants hold on random cases.

`ORACLE` below was written from the agreed text of the triage rules alone, in plain Python, before looking at how
kb/red_flags.yaml words them, together with the vocabulary's ranges, contradictions and "applies when". Whoever changes
a triage rule on purpose changes it here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from random_cases import (
    NONSENSE,
    OPEN,
    Written,
)

# The oracle: three-valued values that remember which open questions they hang on


@dataclass(frozen=True)
class Truth:
    """True, False or None (open), and the questions that keep it open."""

    value: bool | None
    open: frozenset[str] = frozenset()

    def __and__(self, other: Truth) -> Truth:
        return count(2, self, other)

    def __or__(self, other: Truth) -> Truth:
        return count(1, self, other)

    def __invert__(self) -> Truth:
        return Truth(None if self.value is None else not self.value, self.open)


def count(needed: int, *parts: Truth) -> Truth:
    """Return whether at least `needed` of `parts` hold."""
    true = sum(part.value is True for part in parts)
    undecided = [part for part in parts if part.value is None]
    if true >= needed or true + len(undecided) < needed:
        return Truth(true >= needed)
    return Truth(None, frozenset().union(*(part.open for part in undecided)))


NEVER, ALWAYS = Truth(False), Truth(True)

RANGES = {
    "age_years": (10, 100),
    "duration_days": (0, 20000),
    "severity": (0, 10),
    "self_care_days": (0, 3650),
    "temperature_c": (34, 43),
    "trauma_days": (0, 3650),
}
SETS = [
    "quality",
    "timing",
    "aggravators",
    "easers",
    "leg_symptoms",
    "bladder_change",
    "infection_risk",
    "vascular_risk",
    "known_spinal_dx",
]
NERVE = ("tingling", "numbness", "pain_below_knee")
CAUDA_EQUINA = ("saddle_numbness", "bladder_change", "bowel_change", "sexual_change", "leg_weakness")


class Answers:
    """What somebody answered, read by the vocabulary's own rules; `ahead`: whatever the open answers turn out to be."""

    def __init__(self, written: Written, ahead: bool = False) -> None:
        self.ahead = ahead
        self.asked = set(written)
        self.values: dict[str, object] = {}
        for name, answer in written.items():
            value = self._read(name, answer)
            if value is not None:
                self.values[name] = value
        self._contradictions()

    def _read(self, name: str, answer: str | list[str]) -> object:
        if name in RANGES:
            low, high = RANGES[name]
            return (
                float(str(answer))
                if re.fullmatch(r"-?\d+(\.\d+)?", str(answer)) and low <= float(str(answer)) <= high
                else None
            )
        if name in SETS:
            words = set(answer)
            bad = answer == OPEN or NONSENSE in words or ("none" in words and len(words) > 1)
            return None if bad else frozenset(words)
        return None if answer in (OPEN, NONSENSE) else answer

    def _contradictions(self) -> None:
        """Answers that contradict each other are refused; every contradiction is judged on what was given."""
        given, refused = self.values, set()
        if given.get("self_care_days", 0) > given.get("duration_days", 1e9):  # type: ignore[operator]
            refused |= {"self_care_days", "duration_days"}
        symptoms = given.get("leg_symptoms", frozenset())
        assert isinstance(symptoms, frozenset)
        if given.get("leg_side") == "none" and symptoms - {"none", OPEN}:
            refused |= {"leg_side", "leg_symptoms"}
        if given.get("temperature_c", 0) >= 38 and given.get("fever") == "no":  # type: ignore[operator]
            refused |= {"fever"}
        self.values = {name: value for name, value in given.items() if name not in refused}

    def _applies(self, name: str) -> Truth:
        if name in ("pregnancy", "menstrual"):
            return ~self.one("sex", "male")
        if name == "pregnancy_warning":
            return self.one("pregnancy", "pregnant")
        if name in ("leg_side", "leg_swelling"):
            return ~self.among("leg_symptoms", "none")
        if name == "trauma_days":
            return self.one("trauma", "minor", "major")
        if name == "temperature_c":
            return self.yes("fever")
        if name == "self_care_helped":
            return self.least("self_care_days", 1)
        if name == "extreme_exertion_72h":
            return self.yes("dark_urine") | self.least("severity", 7)
        if name == "hop_test":
            hurts = self.among("aggravators", "impact", "single_leg_stance") | self.one("pain_site", "sacral_buttock")
            return (
                hurts
                | self.one("menstrual", "absent_3mo_plus")
                | self.yes("low_energy_signs")
                | self.yes("prior_bone_stress_injury")
            )
        return ALWAYS

    def _says(self, name: str, test: Callable[[object], bool | None]) -> Truth:
        if name in self.values:
            value = test(self.values[name])
            return Truth(value, frozenset() if value is not None else frozenset({name}))
        applies = self._applies(name)
        return NEVER if applies.value is False else Truth(None, applies.open | {name})

    def one(self, name: str, *wanted: str) -> Truth:
        """`name` is one of `wanted`."""
        return self._says(name, lambda value: value in wanted)

    def yes(self, name: str) -> Truth:
        """`name` is yes."""
        return self.one(name, "yes")

    def among(self, name: str, *wanted: str) -> Truth:
        """One of `wanted` was chosen for `name`."""

        def test(value: object) -> bool | None:
            assert isinstance(value, frozenset)
            return True if value & set(wanted) else None if OPEN in value else False

        return self._says(name, test)

    def least(self, name: str, bound: float) -> Truth:
        """`name` is at least `bound`."""
        return self._says(name, lambda value: value >= bound)  # type: ignore[operator]

    def unless(self, excuse: Truth) -> Truth:
        """The excuse does not hold; as the case stands, only an excuse known to hold counts."""
        return ~excuse if self.ahead else Truth(excuse.value is not True)

    def missing(self, name: str) -> Truth:
        """Nothing valid was answered to `name`."""
        value = self.values.get(name)
        if value is not None and not (isinstance(value, frozenset) and OPEN in value):
            return NEVER
        applies = self._applies(name)
        if not self.ahead or name in self.asked or applies.value is False:
            return ALWAYS
        return Truth(None, applies.open | {name})


def nerve_symptoms(a: Answers) -> Truth:
    return a.among("leg_symptoms", *NERVE)


def severe(a: Answers) -> Truth:
    return a.least("severity", 7)


def feverish(a: Answers) -> Truth:
    return a.yes("fever") | a.least("temperature_c", 38) | a.yes("rigors_or_night_sweats")


def fragile(a: Answers) -> Truth:
    return a.one("steroid_use", "prolonged_3mo_plus") | a.yes("osteoporosis") | a.least("age_years", 65)


def sudden(a: Answers) -> Truth:
    return a.one("onset", "sudden_no_trauma")


def claudication(a: Answers) -> Truth:
    return a.yes("walking_leg_pain_eased_sitting") & a.least("duration_days", 90)


def aneurysm(a: Answers) -> Truth:
    return a.among("vascular_risk", "known_aneurysm")


def worsening(a: Answers) -> Truth:
    return a.one("trend", "worsening", "rapidly_worsening")


def began_before_40(a: Answers) -> Truth:
    age, days = a.values.get("age_years"), a.values.get("duration_days")
    if isinstance(age, float) and isinstance(days, float):
        return Truth(age - days / 365.25 < 40)
    return Truth(None)


def bone_stress_risk(a: Answers) -> Truth:
    return a.one("menstrual", "absent_3mo_plus") | a.yes("low_energy_signs") | a.yes("prior_bone_stress_injury")


# The triage rules


def any_of(*parts: Truth) -> Truth:
    return count(1, *parts)


def all_of(*parts: Truth) -> Truth:
    return count(len(parts), *parts)


def e6(a: Answers) -> Truth:
    unsteady = a.yes("gait_unsteady") & (nerve_symptoms(a) | a.one("leg_weakness", "stable_mild"))
    return a.one("leg_weakness", "new_or_progressive", "foot_drop") | unsteady


def e7(a: Answers) -> Truth:
    young_and_healthy = ~a.least("age_years", 50) & ~aneurysm(a)
    return any_of(
        a.yes("faint_or_collapse"),
        a.yes("pulsating_abdomen") & a.unless(young_and_healthy),
        aneurysm(a) & (a.yes("abdominal_pain") | sudden(a)),
        a.among("quality", "tearing") & (sudden(a) | a.yes("abdominal_pain")),
        all_of(
            a.least("age_years", 50),
            sudden(a),
            severe(a),
            a.among("easers", "none"),
            a.among("vascular_risk", "smoker_ever", "known_aneurysm", "hypertension"),
        ),
    )


def e10(a: Answers) -> Truth:
    return a.one("pregnancy", "pregnant") & any_of(a.yes("abdominal_pain"), a.yes("pregnancy_warning"), feverish(a))


def u2(a: Answers) -> Truth:
    risks = ("immunosuppressed", "iv_drug_use", "recent_infection", "recent_spinal_procedure", "diabetes")
    return a.among("infection_risk", "iv_drug_use", "recent_spinal_procedure") | (
        a.among("infection_risk", *risks) & (a.yes("unwell") | a.one("night_pain", "constant_unrelieved"))
    )


def u3(a: Answers) -> Truth:
    warning = any_of(
        a.yes("weight_loss_unexplained"),
        a.one("night_pain", "constant_unrelieved"),
        worsening(a),
        a.among("quality", "band_like"),
        a.one("pain_site", "thoracic"),
    )
    return a.one("cancer_history", "current") | (a.one("cancer_history", "past") & warning)


def u4(a: Answers) -> Truth:
    sign = a.one("night_pain", "constant_unrelieved") | a.least("age_years", 50)
    return a.yes("weight_loss_unexplained") & sign


def u5(a: Answers) -> Truth:
    minor = a.one("trauma", "minor") & (fragile(a) | a.yes("midline_bone_tender"))
    return minor | all_of(fragile(a), sudden(a), severe(a))


def u6(a: Answers) -> Truth:
    impact = a.among("aggravators", "impact")
    return any_of(
        a.one("hop_test", "painful"),
        bone_stress_risk(a) & (impact | a.one("pain_site", "sacral_buttock")),
        a.among("quality", "deep_bone") & impact,
    )


def u14(a: Answers) -> Truth:
    from_an_organ = a.one("pain_site", "flank", "abdomen_and_back")
    return severe(a) & ((sudden(a) & a.among("easers", "none")) | from_an_organ)


def u15(a: Answers) -> Truth:
    constant = a.among("timing", "constant") & a.among("easers", "none")
    return all_of(severe(a), constant, a.one("self_care_helped", "no"))


def k4(a: Answers) -> Truth:
    return a.least("duration_days", 90) & count(
        4,
        began_before_40(a),
        a.one("onset", "insidious"),
        a.yes("better_with_exercise"),
        a.one("better_with_rest", "no"),
        a.one("night_pain", "settles_with_position"),
    )


def k9(a: Answers) -> Truth:
    return any_of(
        a.one("cancer_history", "past"),
        a.yes("weight_loss_unexplained"),
        a.one("night_pain", "constant_unrelieved"),
        a.one("steroid_use", "prolonged_3mo_plus"),
        a.yes("osteoporosis"),
    )


SPINAL = ("disc_herniation", "stenosis", "facet", "spondylolisthesis", "spine_surgery")

ORACLE: dict[str, Callable[[Answers], Truth]] = {
    "E1": lambda a: a.yes("saddle_numbness"),
    "E2": lambda a: a.among("bladder_change", "hesitancy_or_reduced_feeling", "retention", "new_incontinence"),
    "E3": lambda a: a.one("bowel_change", "reduced_feeling", "new_incontinence"),
    "E4": lambda a: a.yes("sexual_change"),
    "E5": lambda a: a.one("leg_side", "both") & nerve_symptoms(a) & a.unless(claudication(a)),
    "E6": e6,
    "E7": e7,
    "E8": lambda a: a.yes("dark_urine") & (a.yes("extreme_exertion_72h") | severe(a)),
    "E9": lambda a: a.one("trauma", "major") & a.unless(a.least("trauma_days", 14.001)),
    "E10": e10,
    "E11": lambda a: a.yes("chest_symptoms"),
    "E12": lambda a: a.yes("confused_or_drowsy"),
    "U1": feverish,
    "U2": u2,
    "U3": u3,
    "U4": u4,
    "U5": u5,
    "U6": u6,
    "U7": lambda a: any_of(*map(a.missing, CAUDA_EQUINA)) & (nerve_symptoms(a) | severe(a)),
    "U8": lambda a: a.yes("gait_unsteady"),
    "U9": lambda a: nerve_symptoms(a) & (a.one("leg_side", "alternating") | a.missing("leg_side")),
    "U10": lambda a: a.yes("dark_urine"),
    "U11": lambda a: a.yes("abdominal_pain") & a.missing("pregnancy") & a.unless(a.one("sex", "male")),
    "U13": lambda a: severe(a) & a.yes("extreme_exertion_72h"),
    "U14": u14,
    "U15": u15,
    "U16": lambda a: a.one("pregnancy", "pregnant") & severe(a),
    "U17": lambda a: a.yes("leg_swelling"),
    "U18": lambda a: all_of(nerve_symptoms(a), a.one("leg_side", "both"), claudication(a)),
    "U19": lambda a: severe(a) & a.one("trend", "rapidly_worsening"),
    "K1": severe,
    "K2": nerve_symptoms,
    "K3": lambda a: a.least("self_care_days", 14) & a.unless(a.yes("self_care_helped")),
    "K4": k4,
    "K5": lambda a: a.among("known_spinal_dx", *SPINAL),
    "K6": lambda a: a.yes("walking_leg_pain_eased_sitting"),
    "K7": lambda a: ~a.least("age_years", 18),
    "K8": lambda a: a.one("pregnancy", "pregnant", "postpartum_12mo"),
    "K9": k9,
    "K10": lambda a: a.least("duration_days", 42),
    "K11": lambda a: a.one("menstrual", "absent_3mo_plus") | a.yes("low_energy_signs"),
    "K12": lambda a: a.among("bladder_change", "chronic_unchanged_leak") | a.one("bowel_change", "new_constipation"),
    "K13": lambda a: a.among("quality", "sharp") & a.among("aggravators", "extension"),
    "K14": lambda a: a.one("leg_weakness", "stable_mild"),
    "K15": lambda a: a.yes("abdominal_pain"),
    "K16": lambda a: a.one("pain_site", "flank") & a.yes("urine_symptoms"),
    "K17": lambda a: a.yes("unwell"),
    "K18": lambda a: a.yes("midline_bone_tender"),
    "K19": lambda a: a.one("trend", "rapidly_worsening"),
    "K20": lambda a: a.yes("slr_leg_symptoms"),
    "K21": lambda a: a.one("trauma", "major"),
    "K22": lambda a: a.one("pain_site", "sacral_buttock") & a.unless(a.one("hop_test", "pain_free")),
    "K23": lambda a: worsening(a) & a.least("duration_days", 14),
    "K24": lambda a: a.yes("groin_hip_pain"),
    "K25": lambda a: a.yes("pain_on_walking"),
    "K26": lambda a: a.among("aggravators", "single_leg_stance") & a.unless(a.one("hop_test", "pain_free")),
    "K27": lambda a: a.yes("pulsating_abdomen"),
}
EMERGENCIES = tuple(rule for rule in ORACLE if rule.startswith("E"))
LEVEL = {"E": "emergency_now", "U": "urgent_medical", "K": "see_clinician"}
RANK = {"self_care": 0, "undetermined": 0, "see_clinician": 1, "urgent_medical": 2, "emergency_now": 3}


@dataclass(frozen=True)
class Verdict:
    """What the agreed text makes of a case."""

    fired: frozenset[str]
    unsettled: frozenset[str]
    missing: frozenset[str]
    level: str
    within: tuple[str, str]


def verdict(written: Written) -> Verdict:
    """Return the verdict of the oracle on a case as written."""
    now, ahead = Answers(written), Answers(written, ahead=True)
    fired = frozenset(rule for rule, holds in ORACLE.items() if holds(now).value is True)
    future = {rule: holds(ahead) for rule, holds in ORACLE.items()}
    unsettled = frozenset(r for r, t in future.items() if r[0] in "EU" and t.value is None and r not in fired)
    missing = frozenset().union(*(future[rule].open for rule in unsettled))
    if fired:
        level = max((LEVEL[rule[0]] for rule in fired), key=RANK.__getitem__)
    elif missing - set(written):
        level = "undetermined"
    else:
        level = "see_clinician" if unsettled else "self_care"
    mildest = max(
        (LEVEL[r[0]] for r, t in future.items() if t.value is True), key=RANK.__getitem__, default="self_care"
    )
    most = max(
        (LEVEL[r[0]] for r, t in future.items() if t.value is not False), key=RANK.__getitem__, default="self_care"
    )
    return Verdict(fired, unsettled, missing, level, (mildest, most))


def agrees_with_the_oracle(case: Written) -> None:
    triage = shipped().screen.judge(memory_of(shipped(), case))
    expected = verdict(case)
    assert set(triage.fired) == expected.fired, f"fired differ: {sorted(set(triage.fired) ^ expected.fired)}"
    assert set(triage.unsettled) == expected.unsettled, (
        f"unsettled: {sorted(set(triage.unsettled) ^ expected.unsettled)}"
    )
    assert set(triage.missing) == expected.missing, f"missing: {sorted(set(triage.missing) ^ expected.missing)}"
    assert triage.level == expected.level
    assert triage.within == expected.within


def test_the_triage_rules_say_what_was_agreed() -> None:
    """Seen to fail: TODO."""
    writer = Writer(shipped())
    check_cases(writer.cases(2000, seed=21, red_flags=True), agrees_with_the_oracle)
    check_cases(writer.near(2000, seed=22), agrees_with_the_oracle)


@pytest.mark.slow
def test_the_triage_rules_say_what_was_agreed_on_thousands_of_cases() -> None:
    """Seen to fail: as the test above."""
    writer = Writer(shipped())
    check_cases(writer.cases(5000, seed=23, red_flags=True), agrees_with_the_oracle)
    check_cases(writer.cases(3000, seed=24), agrees_with_the_oracle)
    check_cases(writer.near(7000, seed=25), agrees_with_the_oracle)


def test_there_is_no_triage_rule_that_was_not_agreed() -> None:
    """Seen to fail: TODO."""
    levels = {rule.id: rule.level for rule in shipped().knowledge.rules.values() if rule.level}
    assert levels == {rule: LEVEL[rule[0]] for rule in ORACLE}
