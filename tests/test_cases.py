"""Every worked case of the knowledge base is a test of its own: it must come out as it expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import CASES
from psoas.case import Case, read_case
from psoas.consultation import Consultant
from psoas.yamltext import parse

FIRST = {"V01", "V06", "V12", "V16", "V18", "V22", "V23", "V26", "V31", "V36", "V37", "V40"}


def title(path: Path) -> str:
    root = parse(path.read_bytes(), path.name)
    texts = {key.value: value.value for key, value in root.value} if root else {}
    return f"{path.stem}: {texts.get('title', 'untitled')}"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=title)
def test_comes_out_as_expected(path: Path, consultant: Consultant) -> None:
    found = misses(consultant, read_case(consultant.knowledge, path))
    if found:
        pytest.fail(f"{path.name}\n  " + "\n  ".join(found), pytrace=False)


def misses(consultant: Consultant, case: Case) -> list[str]:
    """Return how the consultation of `case` differs from what the case expects; empty where it does not."""
    expect = case.expect
    if expect is None or not expect.disposition:
        return ["the case expects nothing: give it a disposition at least"]
    it = consultant.consult(case)
    causes = [cause.id for cause in it.causes]
    given = [remedy.id for remedy in it.remedies]
    remedies = {*it.knowledge.remedies, "all_exercise"}
    found = []
    if it.level.id != expect.disposition:
        found.append(f"disposition {it.level.id} ({', '.join(it.triage.fired)}), expected {expect.disposition}")
    if expect.causes and causes[:1] != list(expect.causes[:1]):
        found.append(f"leading cause {causes[:1]}, expected {expect.causes[0]}")
    found += [f"cause not named: {cause}" for cause in expect.causes if cause not in causes]
    found += [f"remedy not given: {remedy}" for remedy in expect.include if remedy not in given]
    found += [f"remedy given that must not be: {remedy}" for remedy in expect.exclude if remedy in given]
    found += [f"no such remedy: {name}" for name in (*expect.include, *expect.exclude) if name not in remedies]
    if "all_exercise" in expect.exclude:
        allowed = {tier.id for tier in it.knowledge.manifest.tiers if tier.restricted}
        found += [f"not allowed here: {remedy.id}" for remedy in it.remedies if remedy.tier not in allowed]
    return found


def test_the_first_cases_are_there() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} >= FIRST


def test_a_wrong_expectation_is_reported(tmp_path: Path, consultant: Consultant) -> None:
    """Seen to fail with `misses` returning nothing."""
    text = (CASES / "V12.yaml").read_text()
    text = text.replace("disposition: self_care", "disposition: urgent_medical")
    text = text.replace("include: [hf_stretch_lunge", "include: [deadlift, hf_stretch_lunge")
    text = text.replace("    hanging_raise:", "    hf_stretch_kneeling: wrong\n    hanging_raise:")
    path = tmp_path / "V12.yaml"
    path.write_text(text)
    found = misses(consultant, read_case(consultant.knowledge, path))
    assert "remedy not given: deadlift" in found
    assert "remedy given that must not be: hf_stretch_kneeling" in found
    assert any(miss.startswith("disposition self_care") for miss in found)
