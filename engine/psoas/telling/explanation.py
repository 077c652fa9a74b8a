"""How something came about in one case, or why it did not: a `Document` for one id."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psoas.consultation import Consultation
from psoas.faults import Fault, Place, Unusable, quoted, suggest
from psoas.knowledge.model import Calculated, Rule
from psoas.readings.phrase import Phrases
from psoas.reasoning import WhyNot
from psoas.telling.asking import allowed_answers
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section
from psoas.telling.regimen import dose_line
from psoas.triage import natural

STATUS = {"met": "yes", "unmet": "no", "open": "not known"}


def explanation(consultation: Consultation, name: str) -> Document:
    """Return the explanation of `name`: a conclusion, remedy, disposition, rule or finding.

    Where one name is both a remedy and a finding, `finding:NAME` means the finding. Raises `Unusable` for a name
    the knowledge base does not have.
    """
    teller = _Explainer(consultation)
    kinds: dict[str, tuple[object, Callable[[str], Document]]] = {
        "conclusion": (consultation.knowledge.conclusions, teller.conclusion),
        "remedy": (consultation.knowledge.remedies, teller.remedy),
        "disposition": ({d.id for d in consultation.knowledge.manifest.dispositions}, teller.disposition),
        "rule": ({**consultation.knowledge.rules, **consultation.knowledge.withholdings}, teller.rule),
        "disagreement": (consultation.knowledge.disagreements, teller.disagreement),
        "finding": (consultation.knowledge.vocabulary, teller.finding),
    }
    kind, _, bare = name.rpartition(":")
    for wanted, (known, explain) in kinds.items():
        if kind in ("", wanted) and bare in known:  # type: ignore[operator]
            return explain(bare)
    every = {known_name for known, _ in kinds.values() for known_name in known}  # type: ignore[attr-defined]
    hint = suggest(bare, every) or "ids stand in the knowledge base, and in brackets in a consultation"
    raise Unusable([Fault(Place("ID"), f"there is nothing called {quoted(name)} to explain", hint)])


class _Explainer:
    def __init__(self, consultation: Consultation) -> None:
        self.it = consultation
        self.knowledge = consultation.knowledge
        self.reasoning = consultation.reasoning
        self.phrases = Phrases(consultation.knowledge)

    # conclusions

    def conclusion(self, name: str) -> Document:
        item = self.knowledge.conclusions[name]
        opening: list[Block] = [Paragraph(f"{item.means} {item.matters}".strip())] if item.means else []
        if name in self.reasoning.established:
            certainty = f", with a certainty of {self.reasoning.certainty(name):.2f}" if self._is_weighed(name) else ""
            opening.append(Paragraph(f"It is established in this case{certainty}."))
        else:
            opening.append(Paragraph("It is not established in this case."))
        if item.caveat:
            opening.append(Paragraph(f"Caveat: {item.caveat}"))
        sections = [*self._grounds(name), *self._how(name), *self._why_not(name), *self._sources(item.sources)]
        return Document(f"{item.name} [{name}]", tuple(opening), tuple(s for s in sections if s.blocks))

    def _is_weighed(self, name: str) -> bool:
        kind = self.knowledge.conclusions[name].kind
        return all(k.weighed for k in self.knowledge.manifest.kinds if k.id == kind)

    def _grounds(self, name: str) -> Iterator[Section]:
        """Yield the chain and what was reported: what a person asks first."""
        if name not in self.reasoning.established:
            return
        chain, _ = self.reasoning.chain(name)
        said = " → ".join(self._step(step) for step in chain)
        yield Section("The chain", (Paragraph(said),) if len(chain) > 1 and self._is_weighed(name) else ())
        reported = tuple(Entry(self._step(finding)) for finding in self.reasoning.reported(f"conclusion:{name}"))
        yield Section("What you reported", (Entries(reported),) if reported else ())

    def _how(self, symbol: str) -> Iterator[Section]:
        fired = [
            rule
            for rule in self.knowledge.rules.values()
            if rule.id in self.reasoning.firings and symbol in (*rule.then, rule.level)
        ]
        for kind, title in (("for", "Because these rules fired"), ("against", "What counts against it")):
            rules = [rule for rule in fired if (rule.kind == "against") == (kind == "against")]
            yield Section(title, (Entries(tuple(self._fired(rule) for rule in rules)),) if rules else ())

    def _step(self, step: str) -> str:
        if step in self.knowledge.conclusions:
            return self.knowledge.conclusions[step].short
        return self.phrases.answer(step, self.it.memory[step])

    def _fired(self, rule: Rule) -> Entry:
        firing = self.reasoning.firings[rule.id]
        grounds = [self.phrases.answer(f, self.it.memory[f]) for f in firing.findings]
        grounds += [self.phrases.symbol(s) for s in firing.conclusions]
        lines = [
            ("rule", self.phrases.rule(rule)),
            ("here", "; ".join(grounds) or "always"),
            ("strength", rule.strength),
            ("evidence", rule.evidence),
            ("caveat", rule.caveat),
            ("sources", self._cited(rule.sources)),
            ("stands in", str(rule.place)),
        ]
        return Entry(rule.id, rule.name, tuple((a, b) for a, b in lines if b))

    def _why_not(self, symbol: str) -> Iterator[Section]:
        rules = [
            rule
            for rule in self.knowledge.rules.values()
            if rule.id not in self.reasoning.firings and rule.kind != "against" and symbol in (*rule.then, rule.level)
        ]
        whys = sorted(
            (self.reasoning.why_not(rule.id) for rule in rules),
            key=lambda why: (why.missing, natural(why.rule)),
        )
        entries = tuple(self._missed(why) for why in whys)
        title = "These rules did not fire" if symbol in self.reasoning.established else "Because no rule for it fired"
        yield Section(title, (Entries(entries),) if entries else ())

    def _missed(self, why: WhyNot) -> Entry:
        lines = [(STATUS[premise.status], premise.says) for premise in why.premises]
        lines += [("blocked by", text) for text in why.blocked_by]
        rule = self.knowledge.rules.get(why.rule)
        return Entry(why.rule, rule.name if rule else "", tuple(lines))

    # dispositions

    def disposition(self, name: str) -> Document:
        level = self.knowledge.level(name)
        triage = self.it.triage
        if name == triage.level:
            opening = [Paragraph("This is the disposition of this case.")]
        else:
            opening = [Paragraph(f"The disposition of this case is {self.it.level.name} [{triage.level}].")]
        fired = "" if triage.fired else "No triage rule fired"
        if triage.settled:
            answered = f"ll {triage.needed} safety questions that matter here are answered"
            opening.append(Paragraph(f"{fired}, and a{answered}." if fired else f"A{answered}."))
            opening.append(Paragraph("No rule of the screened levels could still fire, whatever is answered next."))
        elif fired:
            opening.append(Paragraph(f"{fired}, but not all safety questions are answered."))
        sections = [*self._how(name), *self._open(), *self._why_not(name)]
        return Document(f"{level.name} [{name}]", tuple(opening), tuple(s for s in sections if s.blocks))

    def _open(self) -> Iterator[Section]:
        """Yield the safety questions without an answer, and the rules that could still fire."""
        triage = self.it.triage
        if not triage.settled:
            title = f"Safety questions not answered: {len(triage.missing)} of {triage.needed}"
            yield Section(title, (Entries(tuple(map(self._named, triage.missing))),))
            rules = tuple(self._named(rule) for rule in triage.unsettled)
            yield Section("Triage rules that could still fire", (Entries(rules),))

    def _named(self, name: str) -> Entry:
        item = self.knowledge.vocabulary.get(name) or self.knowledge.rules[name]
        return Entry(item.name or name, name)

    # remedies

    def remedy(self, name: str) -> Document:
        item = self.knowledge.remedies[name]
        given = next((given for given in self.it.remedies if given.id == name), None)
        held = next((held for held in self.it.withheld if held.id == name), None)
        opening: list[Block] = []
        if given:
            opening.append(
                Paragraph("It is part of the plan." if given.start == "now" else "It is for later in the plan.")
            )
        elif held:
            opening.append(
                Paragraph(f"It would be indicated, and is held back: {held.reason} ({', '.join(held.because)}).")
            )
        else:
            opening.append(Paragraph("It is not indicated in this case."))
        opening.append(Paragraph(self.phrases.rule(item)))
        about = [
            ("purpose", item.purpose),
            dose_line(self.it, given) if given else ("", ""),
            ("easier", item.easier),
            ("harder", item.harder),
            ("feel", item.feel),
            ("stop", item.stop),
            ("evidence", item.evidence),
            ("caveat", item.caveat),
            ("sources", self._cited(item.sources)),
        ]
        sections = [
            Section(
                "What it is",
                (Entries((Entry(item.name, "", tuple((a, b) for a, b in about if b), item.steps),)),),
            )
        ]
        if held:
            rules = [self.knowledge.withholdings[r] for r in held.because if r in self.knowledge.withholdings]
            lines = tuple(
                Entry(rule.id, "", (("rule", self.phrases.rule(rule)), ("sources", self._cited(rule.sources))))
                for rule in rules
            )
            sections.append(Section("Held back by", (Entries(lines),) if lines else ()))
        if not given and not held:
            why = self.reasoning.why_not(f"indicates {name}")
            sections.append(Section("What it would need", (Entries((self._missed(why),)),)))
        return Document(f"{item.name} [{name}]", tuple(opening), tuple(s for s in sections if s.blocks))

    # rules, disagreements, findings

    def rule(self, name: str) -> Document:
        item = self.knowledge.rules.get(name) or self.knowledge.withholdings[name]
        fired = name in self.reasoning.firings
        opening = [
            Paragraph(self.phrases.rule(item)),
            Paragraph("It fired." if fired else "It did not fire."),
        ]
        entry = self._fired(item) if fired and isinstance(item, Rule) else self._missed(self.reasoning.why_not(name))
        return Document(
            name,
            tuple(opening),
            (Section("In this case", (Entries((entry,)),)), *self._sources(item.sources)),
        )

    def disagreement(self, name: str) -> Document:
        item = self.knowledge.disagreements[name]
        shown = next((dispute for dispute in self.it.disputes if dispute.id == name), None)
        sides = tuple(Entry(side.says, ", ".join(side.sources)) for side in item.sides)
        opening = Paragraph(f"Here: {shown.settled}" if shown else "It does not bear on this case.")
        sources = tuple(source for side in item.sides for source in side.sources) + item.sources
        return Document(
            f"{item.question} [{name}]",
            (opening,),
            (Section("The sides", (Entries(sides),)), *self._sources(sources)),
        )

    def finding(self, name: str) -> Document:
        """Return what a finding is, how it stands here, and which rules fired on it."""
        item = self.knowledge.vocabulary[name]
        lines = [("here", self.phrases.answer(name, self.it.memory[name]))]
        if isinstance(item, Calculated):
            entry = Entry(f"{item.name} = {item.formula.text}", name, tuple(lines))
        else:
            lines = [*(("answer", answer) for answer in allowed_answers(item)), ("how", item.how), *lines]
            entry = Entry(item.question, name, tuple((a, b) for a, b in lines if b))
        used = [
            Entry(rule, "", (("rule", self.phrases.rule(self.knowledge.rules[rule])),))
            for rule, firing in self.reasoning.firings.items()
            if name in firing.findings and rule in self.knowledge.rules
        ]
        return Document(
            f"{item.name} [{name}]",
            (Entries((entry,)),),
            (Section("Rules that fired on it", (Entries(tuple(used)),)),) if used else (),
        )

    # sources

    def _cited(self, sources: tuple[str, ...]) -> str:
        return ", ".join(sources)

    def _sources(self, sources: tuple[str, ...]) -> Iterator[Section]:
        entries = []
        for name in dict.fromkeys(sources):
            source = self.knowledge.sources.get(name)
            if source:
                about = [("", source.says), ("from", source.cite or source.title), ("grade", source.grade)]
                entries.append(Entry(name, source.kind, tuple((a, b) for a, b in about if b)))
        yield Section("Sources", (Entries(tuple(entries)),) if entries else ())
