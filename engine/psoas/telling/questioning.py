"""The words of an interview: a sheet of questions, why it is asked, how to find out, what is known so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psoas.answering import is_checklist, is_trial, signs
from psoas.consultation import Consultation
from psoas.interview import Sheet
from psoas.knowledge.model import Finding, Knowledge
from psoas.memory import State
from psoas.readings.phrase import Phrases, listed, lowered
from psoas.telling.asking import allowed_answers, is_worse
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section

FEW = 6
"""How many things of a kind a reason names."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet: what stands before it, and its text."""

    lead: str
    text: str


def question(knowledge: Knowledge, sheet: Sheet) -> tuple[str, list[Line], str]:
    """Return what is asked, the lines to choose from or to answer, and how to answer."""
    if is_checklist(knowledge, sheet.findings):
        lines = _numbered(sign.says for sign in signs(knowledge, sheet.findings))
        if is_trial(knowledge, sheet.findings):  # what was not checked is no "none"
            none = "skip if you checked nothing; fine if you checked all and found none of it"
            return sheet.asks, lines, f"numbers, as in 2 5; 3? for what you did not check; {none}"
        return sheet.asks, lines, "numbers, as in 2 5; 3? where you are not sure; none if nothing of it is so"
    if len(sheet.findings) > 1:
        asked = [knowledge.findings[name] for name in sheet.findings]
        lines = [line for finding in asked for line in _lines(finding)]
        return sheet.asks, lines, f"{len(asked)} answers, with commas between them; ? for one you do not know"
    finding = knowledge.findings[sheet.findings[0]]
    if finding.type == "yes-no":
        return finding.question, [], "yes or no"
    if finding.values:
        many = "numbers or words; several, as in 1 3" if finding.type == "any of" else "a number or a word"
        return finding.question, _numbered(finding.values.values()), many
    return finding.question, [], allowed_answers(finding)[0]


def _numbered(texts: Iterable[str], indent: int = 2) -> list[Line]:
    return [Line(f"{' ' * indent}{number:>2}  ", text) for number, text in enumerate(texts, 1)]


def _lines(finding: Finding) -> list[Line]:
    """Return the lines of a finding on a sheet with others; choices that need words get a line each."""
    words = {value.replace("_", " "): says for value, says in finding.values.items()}
    if any(word != says for word, says in words.items()):
        return [Line("  -  ", finding.question), *_numbered(words.values(), 5)]
    return [Line("  -  ", f"{finding.question} ({listed(words, 'or') if words else allowed_answers(finding)[0]})")]


def how(knowledge: Knowledge, sheet: Sheet) -> Iterator[str]:
    """Yield how to find out, a text for each question that has one; of a list to choose from, each question."""
    asked = [knowledge.findings[name] for name in sheet.findings]
    ticked = is_checklist(knowledge, sheet.findings)
    for finding in asked:
        if finding.how or ticked:
            yield f"{f'{finding.name}: ' if len(asked) > 1 else ''}{finding.how or finding.question}"
    if not ticked and not any(finding.how for finding in asked):
        yield "There is nothing more to say about how; answer as well as you can, or skip it."


def why(knowledge: Knowledge, waiting: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield why a sheet is asked: `waiting` says what waits for it, level or kind → ids."""
    urgent = False
    for level in reversed(knowledge.manifest.dispositions):
        rules = [knowledge.rules[name] for name in waiting.get(level.id, ())]
        if rules:
            urgent = urgent or level.screened
            yield f"An answer could mean “{level.would}”: {_some([rule.name or rule.because for rule in rules])}."
    causes = [lowered(knowledge.conclusions[name].name) for name in waiting.get("causes", ())]
    if causes and not urgent:
        yield f"It helps to tell what is behind it: {_some(causes)}."
    remedies = [lowered(knowledge.remedies[name].name) for name in waiting.get("remedies", ())]
    if remedies and not urgent:
        yield f"It decides what would help: {_some(remedies)}."


def _some(names: list[str]) -> str:
    more = f"; and {len(names) - FEW} more" if len(names) > FEW else ""
    return "; ".join(names[:FEW]) + more


def noted(knowledge: Knowledge, given: Mapping[str, State]) -> str:
    """Return what is taken down of a sheet; of a checklist also what was answered by not choosing it."""
    phrases = Phrases(knowledge)
    findings = tuple(given)
    if not is_checklist(knowledge, findings):
        return "; ".join(phrases.answer(name, state) for name, state in given.items())
    clear = [name for name in findings if given[name] in _clear(knowledge.findings[name])]
    said = [phrases.answer(name, given[name]) for name in findings if name not in clear]
    lines = len(signs(knowledge, findings))
    if is_trial(knowledge, findings):
        names = "; ".join(knowledge.findings[name].name for name in clear)
        fine = "checked all, and found none of these" if not said else f"checked, and nothing found: {names}"
        return "; ".join([*said, fine] if clear else said)
    if not said:
        return f"none of these, that is, no to each of the {lines}"
    return "; ".join(said) + ("; no to the rest of the list" if clear else "")


def _clear(finding: Finding) -> tuple[State, State]:
    return finding.clear, frozenset({finding.clear})


def still_open(it: Consultation) -> Iterator[str]:
    """Yield what the open answers can still make of it: what it is at least, and when only it is more urgent."""
    if it.level.alone:
        return
    if it.triage.missing:
        yield f"Still open: {len(it.triage.missing)} of {it.triage.needed} safety questions."
    reasons: dict[str, dict[str, None]] = {}
    for rule in (it.knowledge.rules[rule] for question in it.questions for rule in question.rules):
        if is_worse(it, rule.level):
            reasons.setdefault(rule.level, {})[rule.name or rule.because] = None
    if not reasons:
        yield "No open answer can make it more urgent."
        return
    least = it.triage.within[0]
    settled = least == it.knowledge.manifest.otherwise.settled
    yield "No answer so far makes it urgent." if settled else f"It is at least “{it.knowledge.level(least).would}”."
    for level in reversed(it.knowledge.manifest.dispositions):
        if level.id in reasons and not level.screened:
            yield f"It may also come to “{level.would}”."
        elif level.id in reasons:  # of what stands alone none is left out
            names = list(reasons[level.id])
            said = "; ".join(names) if level.alone else _some(names)
            yield f"It is “{level.would}” only if open answers point to: {said}."


def so_far(it: Consultation, answers: Mapping[str, State]) -> Document:
    """Return the answers given, numbered, and what follows from them as they stand."""
    phrases = Phrases(it.knowledge)
    refused = {item.finding: f"counts as not known: {item.reason}" for item in it.case.rejected}
    known = tuple(Entry(phrases.answer(name, state), refused.get(name, "")) for name, state in answers.items())
    blocks: list[Block] = [Entries(known, numbered=True)] if known else [Paragraph("Nothing yet.")]
    causes = [it.knowledge.conclusions[cause.id].name for cause in it.causes]
    thinking: list[Block] = [Paragraph(f"As it stands: {it.level.would}.")]
    if causes and it.level.plan == "full":
        thinking.append(Paragraph(f"What may be behind it: {_some(causes)}."))
    return Document("So far", (), (Section("Your answers", tuple(blocks)), Section("What follows", tuple(thinking))))
