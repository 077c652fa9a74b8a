"""The words of an interview: a sheet of questions, why it is asked, how to find out, what is known so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psoas.answering import is_checklist, signs
from psoas.consultation import Consultation
from psoas.interview import Sheet
from psoas.knowledge.model import Finding, Knowledge
from psoas.memory import State
from psoas.readings.phrase import Phrases, listed, lowered, number
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section

FEW = 6
"""How many things of a kind a reason names."""


@dataclass(frozen=True, slots=True)
class Line:
    """One numbered line of a sheet, and what may be said to it, a line each."""

    text: str
    choices: tuple[str, ...] = ()


def question(knowledge: Knowledge, sheet: Sheet) -> tuple[str, list[Line], str]:
    """Return what is asked, the lines to choose from or to answer (numbered from 1), and how to answer."""
    if is_checklist(knowledge, sheet.findings):
        lines = [Line(sign.says) for sign in signs(knowledge, sheet.findings)]
        if any(knowledge.findings[name].open for name in sheet.findings):  # what was not tried is no "none"
            told = "numbers, as in 2 5; 3? for what you did not try; skip if you tried none; none if all were fine"
            return sheet.asks, lines, told
        return sheet.asks, lines, "numbers, as in 2 5 (3? where you are not sure); or none"
    if len(sheet.findings) > 1:
        asked = [knowledge.findings[name] for name in sheet.findings]
        lines = [_line(finding) for finding in asked]
        return sheet.asks, lines, f"{len(asked)} answers, with commas between them; ? for one you do not know"
    finding = knowledge.findings[sheet.findings[0]]
    if finding.type == "yes-no":
        return finding.question, [], "yes or no"
    if finding.values:
        many = "numbers or words; several, as in 1 3" if finding.type == "any of" else "a number or a word"
        return finding.question, [Line(says) for says in finding.values.values()], many
    return finding.question, [], _expected(finding)


def _line(finding: Finding) -> Line:
    """Return the line of a finding on a sheet with others; choices that need words get a line each."""
    words = {value.replace("_", " "): says for value, says in finding.values.items()}
    if all(word == says for word, says in words.items()):
        return Line(f"{finding.question} ({listed(words, 'or') if words else _expected(finding)})")
    return Line(finding.question, tuple(f"{word}: {says}" for word, says in words.items()))


def _expected(finding: Finding) -> str:
    assert finding.range is not None
    low, high = number(finding.range.low), number(finding.range.high)
    if finding.length:
        counts = f"{number(finding.length.low)} to {number(finding.length.high)} numbers"
        return f"{counts}, the oldest first, in {finding.unit}"
    if not finding.unit or "out of" in finding.unit:
        return f"{low} to {high}"
    return f"{finding.unit}, {low} to {high}"


def how(knowledge: Knowledge, sheet: Sheet) -> Iterator[str]:
    """Yield how to find out, a text for each question that has one."""
    for name in sheet.findings:
        finding = knowledge.findings[name]
        head = f"{finding.name}: " if len(sheet.findings) > 1 else ""
        if finding.how:
            yield f"{head}{finding.how}"
        elif is_checklist(knowledge, sheet.findings):
            yield f"{head}{finding.question}"
    if len(sheet.findings) == 1 and not knowledge.findings[sheet.findings[0]].how:
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
    if causes:
        yield f"It helps to tell what is behind the pain: {_some(causes)}."
    remedies = [lowered(knowledge.remedies[name].name) for name in waiting.get("remedies", ())]
    if remedies and not urgent:
        yield f"It decides what would help: {_some(remedies)}."


def _some(names: list[str]) -> str:
    more = f"; and {len(names) - FEW} more" if len(names) > FEW else ""
    return "; ".join(names[:FEW]) + more


def so_far(it: Consultation, answers: Mapping[str, State]) -> Document:
    """Return the answers given, numbered, and what follows from them as they stand."""
    phrases = Phrases(it.knowledge)
    known = tuple(Entry(phrases.answer(name, state)) for name, state in answers.items())
    blocks: list[Block] = [Entries(known, numbered=True)] if known else [Paragraph("Nothing yet.")]
    causes = [it.knowledge.conclusions[cause.id].name for cause in it.causes]
    thinking: list[Block] = [Paragraph(f"As it stands: {it.level.would}.")]
    if causes and it.level.plan == "full":
        thinking.append(Paragraph(f"What may be behind it: {_some(causes)}."))
    return Document("So far", (), (Section("Your answers", tuple(blocks)), Section("What follows", tuple(thinking))))
