"""Why, as a person is told it: the reasons of a disposition, the causes, and where the sources disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from psoas.consultation import Cause, Consultation, Dispute
from psoas.knowledge.conditions import Holds, leaves
from psoas.knowledge.model import Kind
from psoas.readings.phrase import Phrases, lowered
from psoas.telling.document import Block, Entries, Entry, Paragraph, Section

BRIEF = ("chain", "research")
"""The lines that causes keep where nothing is done about them yet."""


class Grounds:
    """The reasons of one consultation. What was told once as a reason is not told again."""

    def __init__(self, it: Consultation) -> None:
        self.it = it
        self.knowledge = it.knowledge
        self.phrases = Phrases(it.knowledge)
        self._told: set[str] = set()
        self.cited = False  # whether it was said what the ids of sources stand for

    def answer(self, finding: str) -> str:
        """Return the statement that the answer to `finding` makes."""
        return self.phrases.answer(finding, self.it.memory[finding])

    # the disposition

    def reasons(self) -> tuple[Entry, ...]:
        """Return the triage rules that decide, each with what was reported; none that only repeats another."""
        decisive = [rule for rule in self.it.triage.fired if self.knowledge.rules[rule].level == self.it.level.id]
        direct = [rule for rule in decisive if self.it.reasoning.firings[rule].findings]
        indirect = [rule for rule in decisive if rule not in direct]
        entries = [self._reason(rule) for rule in direct]
        named = {conclusion for rule in decisive for conclusion in self.knowledge.rules[rule].then}
        for rule in indirect:
            new = set(self._behind(rule)) - self._told
            if not entries or (new and not set(self.it.reasoning.firings[rule].conclusions) <= named):
                entries.append(self._reason(rule))
        return tuple(entries)

    def _behind(self, rule: str) -> tuple[str, ...]:
        return self.it.reasoning.reported(f"rule:{rule}")

    def _reason(self, rule: str) -> Entry:
        item = self.knowledge.rules[rule]
        firing = self.it.reasoning.firings[rule]
        behind = [f for f in self._behind(rule) if firing.findings or f not in self._told]
        self._told.update(behind)
        reported = [self.answer(finding) for finding in behind if not self.it.memory.is_open(finding)]
        unanswered = [self.knowledge.vocabulary[f].name for f in behind if self.it.memory.is_open(f)]
        lines = [
            ("", f"You reported: {'; '.join(reported)}" if reported else ""),
            ("", f"Not answered: {'; '.join(unanswered)}" if unanswered else ""),
        ]
        head = f"{item.name}: {item.because}" if item.name else item.because
        return Entry(head, "", tuple((a, b) for a, b in lines if b), notes=(("rule", rule),))

    # causes

    def causes(self) -> Iterator[Section]:
        """Yield the causes, a section for each kind."""
        for kind in self.knowledge.manifest.kinds:
            causes = [cause for cause in self.it.causes if cause.kind == kind.id]
            if causes:
                blocks = self._weighed(kind, causes) if kind.weighed else self._named(causes)
                yield Section(kind.heading, tuple(blocks))

    def _named(self, causes: list[Cause]) -> Iterator[Block]:
        yield Entries(tuple(self._cause(cause, "", []) for cause in causes), numbered=len(causes) > 1)

    def _weighed(self, kind: Kind, causes: list[Cause]) -> Iterator[Block]:
        """Yield the causes with their certainty; those of the weakest word by name alone."""
        weakest = list(self.knowledge.manifest.certainty)[-1]
        shown = [cause for cause in causes if self.knowledge.certainty_word(cause.certainty) != weakest]
        hints = [lowered(self.knowledge.conclusions[cause.id].name) for cause in causes if cause not in shown]
        if shown and kind.about:
            yield Paragraph(kind.about)
        if not shown and kind.unclear:
            yield Paragraph(kind.unclear)
        chains = [self._chain(cause) for cause in shown]
        entries = []
        for place, (cause, chain) in enumerate(zip(shown, chains, strict=True)):
            first = chains.index(chain)
            way = chain if first == place else f"the same way as {first + 1}"
            entry = self._cause(cause, way, list(cause.chain))
            kept = [line for line in entry.lines if line[0] in BRIEF or not self.it.restricted]
            entries.append(replace(entry, lines=tuple(kept)))
        if entries:
            yield Entries(tuple(entries), numbered=True)
        if hints:
            yield Paragraph(f"{kind.hints or f'No more than {weakest}:'} {', '.join(hints)}.")

    def _cause(self, cause: Cause, chain: str, on_it: list[str]) -> Entry:
        """Return the entry of a cause; `on_it` are the steps of its chain."""
        item = self.knowledge.conclusions[cause.id]
        shown = [finding for finding in self._shown_by(cause) if finding not in on_it]
        doubts = f"{cause.evidence} for at least one step" if on_it and cause.evidence else ""
        research = f"{doubts}. {item.caveat}" if doubts and item.caveat else doubts
        lines = [
            ("", f"{item.means} {item.matters}".strip()),
            ("chain", chain),
            ("shown by", "; ".join(self._not_told_twice(shown) if not on_it else map(self.answer, shown))),
            ("research", research),
            ("caveat", "" if doubts else item.caveat),
        ]
        aside = ""
        if on_it:
            number = f", {cause.certainty:.2f}" if self.it.level.plan == "full" else ""
            aside = self.knowledge.certainty_word(cause.certainty) + number
        notes = [("id", cause.id), ("sources", ", ".join(self.knowledge.conclusions[cause.id].sources))]
        return Entry(item.name, aside, _filled(lines), notes=_filled(notes))

    def _not_told_twice(self, findings: list[str]) -> Iterator[str]:
        """Yield the statements of `findings`, those that stand under the reasons already in a word."""
        if not (set(findings).isdisjoint(self._told) or self._told.issuperset(findings)):
            yield "what stands under Why"
        yield from (self.answer(finding) for finding in findings if finding not in self._told)

    def _shown_by(self, cause: Cause) -> tuple[str, ...]:
        """Return the findings of the rules for `cause` itself, summaries seen through; else those further back."""
        reasoning = self.it.reasoning
        found: set[str] = set()
        for rule in reasoning.rules_for(cause.id, "sign", "mechanism"):
            firing = reasoning.firings[rule.id]
            found.update(firing.findings)
            for symbol in filter(reasoning.is_summary, firing.conclusions):
                found.update(reasoning.reported(f"conclusion:{symbol}"))
        return tuple(sorted(found)) or cause.reported

    def _chain(self, cause: Cause) -> str:
        steps = [
            self.answer(step) if step in self.knowledge.vocabulary else self.knowledge.conclusions[step].short
            for step in cause.chain
        ]
        return " → ".join(steps) if len(steps) > 1 else ""

    # disagreements

    def disputes(self) -> Iterator[Block]:
        """Yield every disagreement that bears on the case with its sides, those that matter most here first."""
        ranked = sorted(self.it.disputes, key=lambda dispute: self._weight(dispute.id))
        if ranked:
            if self.knowledge.manifest.cites:
                yield Paragraph(self.knowledge.manifest.cites)
                self.cited = True
            yield Entries(tuple(map(_dispute, ranked)))

    def _weight(self, dispute: str) -> tuple[bool, bool]:
        """Return what sorts disagreements: safety first, then those about what this advice holds."""
        item = self.knowledge.disagreements[dispute]
        told = {given.id for given in self.it.remedies} | {cause.id for cause in self.it.causes}
        about = {leaf.symbol for leaf in leaves(item.bears) if isinstance(leaf, Holds)}
        return not item.safety, not about & told


def _dispute(dispute: Dispute) -> Entry:
    sides = [f"{', '.join(sources)}: {says}" for says, sources in dispute.sides]
    return Entry(dispute.question, dispute.id, (("", f"Here: {dispute.settled}"), ("", " ".join(sides))))


def _filled(lines: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, text) for label, text in lines if text)
