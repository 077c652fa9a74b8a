"""A `Consultation` as a person is to read it, the most important thing first."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.case import Rejection
from psoas.consultation import Consultation
from psoas.faults import cut
from psoas.readings.phrase import number
from psoas.telling.asking import answer_first, turns_for_the_worse, worth_answering
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section
from psoas.telling.grounds import Grounds
from psoas.telling.regimen import cites_sources, held_back, plan

FEW_NAMES = 8
FIRST_REMEDIES = 3
"""How many open questions the reasons name, and remedies the last line."""


def advice(consultation: Consultation) -> Document:
    """Return what to tell the person: where a disposition stands alone, its message and nothing else."""
    teller = _Teller(consultation)
    level = consultation.level
    if level.alone:
        return Document(level.name, tuple(teller.message()), alarm=True)
    return Document(
        teller.title(),
        tuple(teller.opening()),
        tuple(section for section in teller.sections() if section.blocks),
        alarm=level.plan == "restricted",
        short=teller.short(),
    )


class _Teller:
    def __init__(self, consultation: Consultation) -> None:
        self.it = consultation
        self.knowledge = consultation.knowledge
        self.triage = consultation.triage
        self.grounds = Grounds(consultation)
        self.undecided = consultation.level.id == consultation.knowledge.manifest.otherwise.unasked

    def title(self) -> str:
        days = self.it.level.review_days
        if not days:
            return self.it.level.name
        when = "tomorrow at the latest" if days == 1 else f"in {number(days)} days"
        return f"{self.it.level.name}; review {when}"

    def short(self) -> str:
        """Return the verdict and what comes first, in a line."""
        names = [self.knowledge.remedies[given.id].name for given in self.it.remedies if given.start == "now"]
        first = f" First: {'; '.join(names[:FIRST_REMEDIES])}." if names else ""
        return f"In short: {self.title()}.{first}"

    # the disposition

    def message(self) -> Iterator[Block]:
        for text in self.it.level.says:
            yield Paragraph(text)
        reasons = self.grounds.reasons()
        if reasons:
            yield Paragraph("Why:")
            yield Entries(reasons)

    def opening(self) -> Iterator[Block]:
        yield from self.message()
        open_, of = len(self.triage.missing), self.triage.needed
        if self.triage.settled:
            yield Paragraph(f"All {of} safety questions that matter here are answered.")
        elif self.undecided:
            yield Paragraph(f"{open_} of {of} safety questions {_are(open_)} not answered.")
        else:
            yield Paragraph(" ".join(filter(None, self._unanswered(open_, of))))

    def _unanswered(self, open_: int, of: int) -> Iterator[str]:
        names = [self.knowledge.vocabulary[finding].name for finding in self.triage.missing]
        more = f"; and {open_ - FEW_NAMES} more" if open_ > FEW_NAMES else ""
        said = f"{open_} of {of} safety questions {_are(open_)} not answered"
        if any(self.knowledge.rules[rule].level == self.it.level.id for rule in self.triage.fired):
            yield f"{said}."
        else:
            yield f"Why: {said}: {'; '.join(names[:FEW_NAMES])}{more}."
        if self.triage.within[1] != self.it.level.id:
            yield "The answers could make it more urgent."
        yield f"The plan holds only what is safe without {'it' if open_ == 1 else 'them'}."
        yield self.knowledge.manifest.otherwise.told

    def sections(self) -> Iterator[Section]:
        """Yield the sections in the order of what matters; while nothing can be judged, only what to do about that."""
        yield Section("Answer these first", tuple(answer_first(self.it)))
        yield Section("Answers that could not be used", tuple(self._rejected()))
        yield Section("What to do", tuple(plan(self.it)))
        yield Section("What would change this advice", tuple(turns_for_the_worse(self.it)))
        if not self.undecided:
            yield from self.grounds.causes()
            yield Section("Held back", tuple(held_back(self.it)))
        yield Section("Where the sources disagree", tuple(self.grounds.disputes()))
        if not self.undecided and not self.it.restricted:
            yield Section("Worth answering next", tuple(worth_answering(self.it)))
        yield Section("About this advice", tuple(self._about()))

    # answers

    def _rejected(self) -> Iterator[Block]:
        told = {rule.because for rule in self.knowledge.contradictions.values()}
        groups: dict[tuple[str, str], list[Rejection]] = {}
        for item in self.it.case.rejected:  # a contradiction is told once, with all that it refuses
            groups.setdefault((item.reason, "" if item.reason in told else item.finding), []).append(item)
        ranked = sorted(groups.values(), key=lambda group: not any(i.finding in self.it.screened for i in group))
        if ranked:
            yield Entries(tuple(Entry(self._refused(group)) for group in ranked))
            yield Paragraph("They count as not known, and nothing was calculated from them.")

    def _refused(self, group: list[Rejection]) -> str:
        reason = group[0].reason
        named = []
        for item in group:
            value = cut(item.value)
            written = "" if reason.startswith(f"{value} ") else f": {value}"
            named.append(f"{self.knowledge.findings[item.finding].name} ({item.finding}){written}")
        return f"{' and '.join(named)}{'; ' if ': ' in named[-1] else ': '}{reason}"

    # about

    def _about(self) -> Iterator[Block]:
        count = self.it.signatures
        stale = f" ({count.stale} signed before a later change)" if count.stale else ""
        who = "Not reviewed by an expert yet" if not count.signed else "Reviewed by experts in part"
        if count.signed == count.total:
            who = "Reviewed by experts"
        signed = f"{who}: {count.signed} of {count.total} rules and remedies signed{stale}."
        amounts = "" if self.it.restricted else "Amounts without a source are our own."
        cites = self.knowledge.manifest.cites if cites_sources(self.it) and not self.grounds.cited else ""
        yield Paragraph(" ".join(filter(None, (signed, amounts, cites))))
        if self.knowledge.manifest.notice:
            yield Paragraph(self.knowledge.manifest.notice)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
