"""The knowledge base held against itself: every check, what is suppressed and why, and the verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from psoas.audit.casework.limits import LIMITS, read_limits
from psoas.audit.checks import cases, conditions, numbers, promises, reach, remedies, rules, signatures, sources, words
from psoas.audit.material import Check, Material, Worked
from psoas.audit.report import Audit, Flaw
from psoas.case import read_case
from psoas.faults import Fault, Place, Unusable
from psoas.knowledge.files import found
from psoas.knowledge.model import Invariant, Knowledge, Suppression

CHECKS: Mapping[str, Check] = {
    "identical-rules": lambda material: chain(rules.identical_rules(material), rules.identical_items(material)),
    "equivalent-rules": rules.equivalent_rules,
    "subsumed-rule": rules.subsumed_rule,
    "dead-rule": lambda material: chain(rules.dead_rule(material), conditions.dead_condition(material)),
    "always-true": lambda material: chain(rules.always_true(material), conditions.always_true_condition(material)),
    "redundant-part": conditions.redundant_part,
    "opposite-conclusions": rules.opposite_conclusions,
    "cycle": rules.cycle,
    "undecided": rules.undecided,
    "threshold-gap": numbers.threshold_gap,
    "threshold-overlap": numbers.threshold_overlap,
    "threshold-reversed": words.threshold_reversed,
    "lost-red-flag": lambda material: chain(reach.lost_red_flag(material), promises.lost_promise(material)),
    "hidden-red-flag": reach.hidden_red_flag,
    "case-disagrees": cases.case_disagrees,
    "cause-without-rule": reach.cause_without_rule,
    "cause-without-remedy": reach.cause_without_remedy,
    "cause-without-outcome": reach.cause_without_outcome,
    "unused-conclusion": reach.unused_conclusion,
    "unused-finding": reach.unused_finding,
    "unused-value": reach.unused_value,
    "remedy-for-nothing": remedies.remedy_for_nothing,
    "remedy-never-given": remedies.remedy_never_given,
    "opposing-remedies": remedies.opposing_remedies,
    "no-source": sources.no_source,
    "dose-not-in-source": sources.dose_not_in_source,
    "dose-in-other-hands": sources.dose_in_other_hands,
    "claim-unaccounted": sources.claim_unaccounted,
    "claim-in-two-minds": sources.claim_in_two_minds,
    "unused-source": sources.unused_source,
    "stale-signature": signatures.stale_signature,
    "disputed-signature": signatures.disputed_signature,
}
"""Id of a check → the function that makes it, in the order of a report. docs/audit has a page for each."""

UNUSABLE = "unusable"
"""The check that the loader makes: whether it is a knowledge base at all."""

STALE = "stale-suppression"


def audit(
    knowledge: Knowledge,
    worked: Iterable[Worked] = (),
    only: Iterable[str] = (),
    sentences: Iterable[Invariant] = (),
) -> Audit:
    """Return what the checks (those in `only`, if it names any) find in `knowledge`, of which `sentences` must hold."""
    material = Material(knowledge, tuple(worked), tuple(sentences))
    names = tuple(name for name in CHECKS if name in set(only)) if only else tuple(CHECKS)
    every = [flaw for name in names for flaw in sorted(set(CHECKS[name](material)))]
    kept: list[Flaw] = []
    suppressed: list[tuple[Flaw, Suppression]] = []
    for flaw in every:
        reason = next((s for s in knowledge.suppressions if s.check == flaw.check and s.item == flaw.item), None)
        if reason is None:
            kept.append(flaw)
        else:
            suppressed.append((flaw, reason))
    kept += _stale(knowledge, names, {id(reason) for _, reason in suppressed})
    checks = names if only else (*names, STALE)
    return Audit(knowledge, checks, tuple(kept), tuple(suppressed), *material.counted)


def unusable(error: Unusable) -> Audit:
    """Return as an audit what keeps a knowledge base from being loaded."""
    flaws = tuple(
        Flaw(fault.place, "cycle" if "in a circle" in fault.message else UNUSABLE, "error", name, *_said(fault, name))
        for fault, name in ((fault, _item_at(fault.place)) for fault in error.faults)
    )
    return Audit(None, (UNUSABLE,), flaws)


def _item_at(place: Place) -> str:
    """Return the id of the item in which `place` stands, as far as its file can tell; empty where it does not."""
    try:
        lines = Path(place.file).read_text(encoding="utf-8").splitlines()[: place.line]
    except (OSError, ValueError):
        return ""
    for line in reversed(lines):
        found = re.match(r"- (?:\{ *)?(?:id|of): *[\"']?([\w.:-]+)|  id: *[\"']?([\w.:-]+)", line)
        if found or (line.startswith("- ") and line is not lines[-1]):
            return (found[1] or found[2]) if found else ""
    return ""


def worked_cases(knowledge: Knowledge, folder: Path, shown: Path) -> Iterator[Worked]:
    """Yield the worked cases in `folder`, which messages call `shown`; none if it does not exist."""
    if not folder.is_dir():
        return
    for name in found(folder, ()):
        file = str(shown / name)
        try:
            yield Worked(name.stem, file, read_case(knowledge, folder / name))
        except Unusable as error:
            yield Worked(name.stem, file, None, error.faults)


def tried_on(knowledge: Knowledge, folder: Path, shown: Path) -> Iterator[Worked]:
    """Yield the worked cases in `folder`, and the limits in the folder of that name beside it."""
    cases = tuple(worked_cases(knowledge, folder, shown))
    yield from cases
    if not cases:
        return
    by_id = {worked.case.id: worked.case for worked in cases if worked.case is not None}
    yield from read_limits(knowledge, folder.parent / LIMITS, shown.parent / LIMITS, by_id)


def _stale(knowledge: Knowledge, names: Iterable[str], used: set[int]) -> Iterator[Flaw]:
    for suppression in knowledge.suppressions:
        if suppression.check in names and id(suppression) not in used:
            message = f"there is no flaw {suppression.check} in {suppression.item} to suppress"
            yield Flaw(suppression.place, STALE, "warning", suppression.item, message)
        elif suppression.check not in CHECKS:
            message = f"there is no check {suppression.check}"
            yield Flaw(suppression.place, STALE, "warning", suppression.item, message)


def _said(fault: Fault, item: str) -> tuple[str, str]:
    named = f"{item}: {fault.message}" if item and item not in fault.message else fault.message
    return named, str(fault.hint)
