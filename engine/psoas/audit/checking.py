"""The knowledge base held against itself: every check, what is suppressed and why, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from psoas.audit.casework.limits import LIMITS, read_limits
from psoas.audit.checks import cases, numbers, reach, remedies, rules, signatures, sources
from psoas.audit.material import Check, Material, Worked
from psoas.audit.report import Audit, Flaw
from psoas.case import read_case
from psoas.faults import Fault, Unusable
from psoas.knowledge.files import found
from psoas.knowledge.model import Knowledge, Suppression

CHECKS: Mapping[str, Check] = {
    "identical-rules": rules.identical_rules,
    "equivalent-rules": rules.equivalent_rules,
    "subsumed-rule": rules.subsumed_rule,
    "dead-rule": rules.dead_rule,
    "always-true": rules.always_true,
    "redundant-part": rules.redundant_part,
    "opposite-conclusions": rules.opposite_conclusions,
    "cycle": rules.cycle,
    "undecided": rules.undecided,
    "threshold-gap": numbers.threshold_gap,
    "threshold-overlap": numbers.threshold_overlap,
    "threshold-reversed": numbers.threshold_reversed,
    "lost-red-flag": reach.lost_red_flag,
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


def audit(knowledge: Knowledge, worked: Iterable[Worked] = (), only: Iterable[str] = ()) -> Audit:
    """Return what the checks (those in `only`, if it names any) find in `knowledge`."""
    material = Material(knowledge, tuple(worked))
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
        Flaw(fault.place, "cycle" if "in a circle" in fault.message else UNUSABLE, "error", "", *_said(fault))
        for fault in error.faults
    )
    return Audit(None, (UNUSABLE,), flaws)


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


def _said(fault: Fault) -> tuple[str, str]:
    return fault.message, str(fault.hint)
