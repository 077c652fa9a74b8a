"""What a set of worked cases tries of a knowledge base: which rule fires in which case, and where it just does not."""

from __future__ import annotations

from dataclasses import dataclass, field

from psoas.consultation import Consultation
from psoas.knowledge.model import Rule, Withholding
from psoas.reasoning import WhyNot

Cases = dict[str, list[str]]
"""Id of an item → ids of the cases."""


@dataclass
class Coverage:
    """What the cases show of each item of a knowledge base."""

    fires: Cases = field(default_factory=dict)  # rules and withholdings: where they fire
    short: Cases = field(default_factory=dict)  # where one premise, or one exception, keeps them from firing
    decides: Cases = field(default_factory=dict)  # triage rules: where one gives the level
    leads: Cases = field(default_factory=dict)  # causes: where one is named first of its kind
    given: Cases = field(default_factory=dict)  # remedies
    withheld: Cases = field(default_factory=dict)  # remedies held back by a withholding
    shown: Cases = field(default_factory=dict)  # disagreements

    def add(self, consultation: Consultation) -> None:
        """Count one case in."""
        name = consultation.case.id
        for item in _rules(consultation):
            if item.id in consultation.reasoning.firings:
                self.fires.setdefault(item.id, []).append(name)
            elif is_short(consultation.reasoning.why_not(item.id)):
                self.short.setdefault(item.id, []).append(name)
        for rule in consultation.triage.fired:
            if consultation.knowledge.rules[rule].level == consultation.level.id:
                self.decides.setdefault(rule, []).append(name)
        for cause in consultation.causes:
            if not any(other.kind == cause.kind and other.rank < cause.rank for other in consultation.causes):
                self.leads.setdefault(cause.id, []).append(name)
        for remedy in consultation.remedies:
            self.given.setdefault(remedy.id, []).append(name)
        for held in consultation.withheld:
            if set(held.because) & set(consultation.knowledge.withholdings):
                self.withheld.setdefault(held.id, []).append(name)
        for dispute in consultation.disputes:
            self.shown.setdefault(dispute.id, []).append(name)


def is_short(why: WhyNot) -> bool:
    """Tell whether one answer keeps a rule from firing: one premise that is not met, or an exception."""
    if why.missing == 0:
        return bool(why.blocked_by)
    return why.missing == 1 and not why.blocked_by and any(premise.status == "unmet" for premise in why.premises)


def _rules(consultation: Consultation) -> list[Rule | Withholding]:
    knowledge = consultation.knowledge
    return [*knowledge.rules.values(), *knowledge.withholdings.values()]
