"""A `Consultation` as a person is to read it, the most important thing first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from psoas.consultation import Cause, Consultation
from psoas.faults import cut
from psoas.knowledge.check import EXPERT_DEFAULT
from psoas.knowledge.model import Finding, Knowledge
from psoas.plan import Given
from psoas.prospect import Question, Turn
from psoas.readings.phrase import Phrases, listed, number
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section, Subheading

FEW_QUESTIONS = 3
FIRST_QUESTIONS = 10
FEW_WARNINGS = 8
"""How many open questions, and warnings a level, a consultation shows; the JSON holds all."""


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
    )


class _Teller:
    def __init__(self, consultation: Consultation) -> None:
        self.it = consultation
        self.knowledge = consultation.knowledge
        self.phrases = Phrases(consultation.knowledge)
        self.triage = consultation.triage

    # the disposition

    def title(self) -> str:
        days = self.it.level.review_days
        if not days:
            return self.it.level.name
        when = "tomorrow at the latest" if days == 1 else f"in {number(days)} days"
        return f"{self.it.level.name}; review {when}"

    def message(self) -> Iterator[Block]:
        for text in self.it.level.says:
            yield Paragraph(text)
        reasons = tuple(self._reason(rule) for rule in self.triage.fired if self._is_decisive(rule))
        if reasons:
            yield Paragraph("Why:")
            yield Entries(reasons)

    def _is_decisive(self, rule: str) -> bool:
        return self.knowledge.rules[rule].level == self.it.level.id

    def _reason(self, rule: str) -> Entry:
        item = self.knowledge.rules[rule]
        behind = self.it.reasoning.reported(f"rule:{rule}")
        reported = [self.answer(finding) for finding in behind if not self.it.memory.is_open(finding)]
        unanswered = [self.knowledge.vocabulary[f].name for f in behind if self.it.memory.is_open(f)]
        lines = [
            ("", f"You reported: {'; '.join(reported)}" if reported else ""),
            ("", f"Not answered: {'; '.join(unanswered)}" if unanswered else ""),
        ]
        return Entry(f"{item.name or item.because} [{rule}]", "", tuple((a, b) for a, b in lines if b))

    def answer(self, finding: str) -> str:
        return self.phrases.answer(finding, self.it.memory[finding])

    def opening(self) -> Iterator[Block]:
        yield from self.message()
        if self.triage.settled:
            yield Paragraph(f"All {self.triage.needed} safety questions that matter here are answered.")
        elif self.it.level.id != self.knowledge.manifest.otherwise.unasked:
            low, high = (self.knowledge.level(level).name for level in self.triage.within)
            said = (
                f"{len(self.triage.missing)} of {self.triage.needed} safety questions are still open, so the plan "
                "holds only what is safe without them."
            )
            if low != high:
                said += f" Depending on the answers it could be anything from “{low}” to “{high}”."
            yield Paragraph(said)

    def sections(self) -> Iterator[Section]:
        """Yield the sections in the order of what matters; while nothing can be judged, only what to do about that."""
        yield Section("Answers that could not be used", tuple(self._rejected()))
        yield Section("Answer these first", tuple(self._missing()))
        undecided = self.it.level.id == self.knowledge.manifest.otherwise.unasked
        if not undecided:
            yield from self._causes()
        yield Section("What to do", tuple(self._plan()))
        if not undecided:
            yield Section("Held back", tuple(self._withheld()))
            yield Section("Where the sources disagree", tuple(self._disputes()))
        yield Section("What would change this advice", tuple(self._turns()))
        if not undecided:
            yield Section("Worth answering next", tuple(self._questions()))
        yield Section("About this advice", tuple(self._about()))

    # answers

    def _rejected(self) -> Iterator[Block]:
        entries = tuple(
            Entry(f"{self.knowledge.findings[item.finding].name}: {cut(item.value)}", lines=(("", item.reason),))
            for item in self.it.case.rejected
        )
        if entries:
            yield Entries(entries)
            yield Paragraph("They count as not known, and nothing was calculated from them.")

    def _missing(self) -> Iterator[Block]:
        if self.triage.settled:
            return
        missing = {
            question.finding: question for question in self.it.questions if question.finding in self.triage.missing
        }
        first = [self._question(question) for question in list(missing.values())[:FIRST_QUESTIONS]]
        yield Entries(tuple(first), numbered=True)
        if len(missing) > len(first):
            rest = (self.knowledge.findings[finding].name for finding in list(missing)[FIRST_QUESTIONS:])
            yield Paragraph(f"Then: {', '.join(rest)}.")
        yield Paragraph("Write the answers into the case file, under the names in brackets, and consult again.")

    def _question(self, question: Question) -> Entry:
        finding = self.knowledge.findings[question.finding]
        lines = [("answer", allowed_answers(finding))]
        if finding.how:
            lines.append(("how", finding.how))
        return Entry(finding.question, finding.id, tuple(lines))

    # causes

    def _causes(self) -> Iterator[Section]:
        weak = [word for word, least in self.knowledge.manifest.certainty.items() if float(least) == 0]
        for kind in self.knowledge.manifest.kinds:
            causes = [cause for cause in self.it.causes if cause.kind == kind.id]
            shown = [cause for cause in causes if self.word(cause) not in weak or cause is causes[0]]
            hints = [self.knowledge.conclusions[cause.id].name for cause in causes if cause not in shown]
            blocks: list[Block] = [Entries(tuple(map(self._cause, shown)), numbered=True)] if shown else []
            if hints:
                blocks.append(Paragraph(f"And, no more than {listed(weak)}: {', '.join(hints)}."))
            yield Section(kind.heading, tuple(blocks))

    def word(self, cause: Cause) -> str:
        """Return the word for the certainty of `cause`."""
        scale = self.knowledge.manifest.certainty
        return next(word for word, least in scale.items() if cause.certainty >= float(least))

    def _cause(self, cause: Cause) -> Entry:
        item = self.knowledge.conclusions[cause.id]
        lines = [
            ("", f"{item.means} {item.matters}".strip()),
            ("chain", self._chain(cause)),
            ("shown by", "; ".join(self.answer(f) for f in cause.reported if f not in cause.chain)),
            ("evidence" if cause.evidence else "sources", self._evidence(cause)),
            ("caveat", item.caveat),
        ]
        aside = self.word(cause) + (f", {cause.certainty:.2f}" if self.it.level.plan == "full" else "")
        return Entry(item.name, aside, tuple((a, b) for a, b in lines if b))

    def _chain(self, cause: Cause) -> str:
        steps = [
            self.answer(step) if step in self.knowledge.vocabulary else self.knowledge.conclusions[step].short
            for step in cause.chain
        ]
        return " → ".join(steps) if len(steps) > 1 else ""

    def _evidence(self, cause: Cause) -> str:
        sources = ", ".join(self.knowledge.conclusions[cause.id].sources)
        return f"{cause.evidence} at its weakest link ({sources})" if cause.evidence else sources

    # the plan

    def _plan(self) -> Iterator[Block]:
        occasions = {occasion.id: occasion.name for occasion in self.knowledge.manifest.occasions}
        usual = self._usual_stop()
        if usual:
            yield Paragraph(f"In everything that follows, {usual}, unless it says otherwise.")
        for occasion, group in groupby(self.it.remedies, key=lambda given: given.occasion):
            remedies = list(group)
            yield Subheading(occasions[occasion])
            yield Entries(tuple(self._remedy(given, usual) for given in remedies if given.start == "now"))
            later = [self.knowledge.remedies[given.id].name for given in remedies if given.start == "later"]
            if later:
                yield Paragraph(f"When these are easy, add: {'; '.join(later)}.")

    def _usual_stop(self) -> str:
        """Return the rule for stopping that most of the plan shares, to be said once."""
        stops = Counter(self.knowledge.remedies[given.id].stop for given in self.it.remedies if given.start == "now")
        del stops[""]
        return max(stops, key=lambda stop: (stops[stop], stop)) if stops and max(stops.values()) > 1 else ""

    def _remedy(self, given: Given, usual: str) -> Entry:
        item = self.knowledge.remedies[given.id]
        treats = listed(self.knowledge.conclusions[cause].short for cause in given.treats)
        lines = [
            ("for", treats or item.purpose),
            ("how much", dose_text(given)),
            ("how", " ".join(item.steps)),
            ("stop", item.stop if item.stop != usual else ""),
        ]
        return Entry(item.name, "", tuple((a, b) for a, b in lines if b))

    def _withheld(self) -> Iterator[Block]:
        reasons: dict[str, list[str]] = {}
        for item in self.it.withheld:
            reasons.setdefault(item.reason, []).append(self.knowledge.remedies[item.id].name)
        if reasons:
            yield Entries(
                tuple(
                    Entry("; ".join(names), lines=(("because", reason),)) for reason, names in sorted(reasons.items())
                )
            )

    # doubt

    def _disputes(self) -> Iterator[Block]:
        if self.it.disputes:
            yield Entries(
                tuple(
                    Entry(
                        dispute.question,
                        dispute.id,
                        (
                            *(("", f"{', '.join(sources)}: {says}") for says, sources in dispute.sides),
                            ("settled", dispute.settled),
                        ),
                    )
                    for dispute in self.it.disputes
                )
            )

    def _turns(self) -> Iterator[Block]:
        rank = {d.id: place for place, d in enumerate(self.knowledge.manifest.dispositions)}
        undecided = self.knowledge.manifest.otherwise.unasked
        worse = [
            turn
            for turn in self.it.turns
            if turn.disposition != undecided
            and (self.it.level.id == undecided or rank[turn.disposition] > rank[self.it.level.id])
            and not self.knowledge.findings[turn.finding].fixed
        ]
        entries = []
        for level, group in groupby(worse, key=lambda turn: turn.disposition):
            item = self.knowledge.level(level)
            said = list(dict.fromkeys(self._turn(turn) for turn in group))
            shown = said if item.alone else said[:FEW_WARNINGS]  # of the gravest nothing may be left out
            more = f"; and {len(said) - len(shown)} more" if len(said) > len(shown) else ""
            entries.append(Entry(f"→ {item.would}, if", lines=(("", "; ".join(shown) + more),)))
        if entries:
            yield Entries(tuple(entries))

    def _turn(self, turn: Turn) -> str:
        if isinstance(turn.after, frozenset) and isinstance(turn.before, frozenset) and turn.after > turn.before:
            added = turn.after - turn.before
            return self.phrases.answer(turn.finding, added)
        return self.phrases.answer(turn.finding, turn.after)

    def _questions(self) -> Iterator[Block]:
        if not self.triage.settled:
            return
        entries = [self._asked(question) for question in self.it.questions[:FEW_QUESTIONS]]
        if entries:
            yield Entries(tuple(entries))

    def _asked(self, question: Question) -> Entry:
        return Entry(
            self.knowledge.findings[question.finding].question,
            question.finding,
            (("because", why(self.knowledge, question)),),
        )

    def _about(self) -> Iterator[Block]:
        count = self.it.signatures
        stale = f" ({count.stale} signed before a later change)" if count.stale else ""
        who = "Not reviewed by an expert yet" if not count.signed else "Reviewed by experts in part"
        if count.signed == count.total:
            who = "Reviewed by experts"
        yield Paragraph(f"{who}: {count.signed} of {count.total} rules and remedies signed{stale}.")
        if self.knowledge.manifest.notice:
            yield Paragraph(self.knowledge.manifest.notice)


def allowed_answers(finding: Finding) -> str:
    """Return in English what may be answered to `finding`."""
    if finding.values:
        words = listed(finding.values, "or")
        return f"one or more of {words}" if finding.type == "any of" else words
    assert finding.range is not None
    span = f"from {number(finding.range.low)} to {number(finding.range.high)}"
    return f"a list of numbers {span}, {finding.unit}" if finding.length else f"a number {span}, {finding.unit}"


def dose_text(given: Given) -> str:
    """Return the dose with the source of each number."""
    return "; ".join(
        f"{amount} ({'our own dose' if source == EXPERT_DEFAULT else source})" for amount, source in given.dose
    )


def why(knowledge: Knowledge, question: Question) -> str:
    """Return in English why `question` is worth asking."""
    said = []
    if question.levels:
        rules = [knowledge.rules[rule].name or rule for rule in question.rules[:3]]
        said.append(f"it could still mean “{knowledge.level(question.levels[0]).would}”: {'; '.join(rules)}")
    if question.causes:
        causes = [knowledge.conclusions[cause].short for cause in question.causes[:4]]
        said.append(f"it bears on {listed(causes)}")
    return "; ".join(said)
