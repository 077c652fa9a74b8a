"""What is still open: which questions to answer, how and why, and which answers would change the advice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from psoas.consultation import Consultation
from psoas.knowledge.model import Finding
from psoas.nearmiss import Change, Turn
from psoas.prospect import Question
from psoas.readings.phrase import Phrases, listed, lowered, number
from psoas.telling.document import Block, Entries, Entry, Paragraph

FIRST_QUESTIONS = 8
FEW_QUESTIONS = 2
FEW_WARNINGS = 12
FEW_CAUSES = 2
"""How many open questions, warnings a level and causes a question are told; the JSON holds all."""


def answer_first(it: Consultation) -> Iterator[Block]:
    """Yield the open safety questions, the most urgent first."""
    if it.triage.settled:
        return
    missing = [question for question in it.questions if question.finding in it.triage.missing]
    shown = (_askable(it, missing) or missing)[:FIRST_QUESTIONS]
    yield Entries(tuple(_asked(it.knowledge.findings[question.finding]) for question in shown), numbered=True)
    if len(missing) > len(shown):
        yield Paragraph(f"And {len(missing) - len(shown)} more; consult again to see them.")
    yield Paragraph(
        "Write the answers into the case file, under the names in brackets, and consult again. Where you cannot tell, "
        "write unknown."
    )


def worth_answering(it: Consultation) -> Iterator[Block]:
    """Yield the questions that tell most once safety is settled."""
    if not it.triage.settled:
        return
    telling = [question for question in _askable(it, it.questions) if question.causes or _worse(it, question)]
    entries = []
    for question in telling[:FEW_QUESTIONS]:
        finding = it.knowledge.findings[question.finding]
        reason = why(it, question)
        lines = [("", finding.how), ("", f"{reason[:1].upper()}{reason[1:]}.")]
        answers = listed(finding.values, "or") if finding.values else allowed_answers(finding)[0]
        entries.append(Entry(finding.question, f"{finding.id}: {answers}", tuple((a, b) for a, b in lines if b)))
    if entries:
        yield Entries(tuple(entries))


def _askable(it: Consultation, questions: list[Question] | tuple[Question, ...]) -> list[Question]:
    """Return those of `questions` that are known to make sense in this case."""
    return [question for question in questions if it.memory.applies(it.knowledge.findings[question.finding])]


def _asked(finding: Finding) -> Entry:
    answers, how = allowed_answers(finding), [("", finding.how)] if finding.how else []
    if len(answers) == 1:
        return Entry(finding.question, f"{finding.id}: {answers[0]}", tuple(how))
    return Entry(finding.question, finding.id, (*how, *(("answer", answer) for answer in answers)))


def allowed_answers(finding: Finding) -> tuple[str, ...]:
    """Return in English what may be answered to `finding`, a line each."""
    if finding.type == "yes-no":
        return ("yes or no",)
    if finding.values:
        lead = ("one or more of these",) if finding.type == "any of" else ()
        return (*lead, *(f"{value}: {statement}" for value, statement in finding.values.items()))
    assert finding.range is not None
    low, high = number(finding.range.low), number(finding.range.high)
    many = "a number"
    if finding.length:
        many = f"{number(finding.length.low)} to {number(finding.length.high)} numbers"
    if not finding.unit or high in finding.unit.split():  # 7 out of 10
        return (f"{many} from {low} to {high}",)
    if not finding.unit[0].isalpha():
        return (f"{many} from {low} to {high} ({finding.unit})",)
    return (f"{many} of {finding.unit}, {'each ' if finding.length else ''}{low} to {high}",)


def why(it: Consultation, question: Question) -> str:
    """Return in English why `question` is worth asking."""
    said = []
    if question.causes:
        names = [lowered(it.knowledge.conclusions[cause].name) for cause in question.causes]
        more = f" and {len(names) - FEW_CAUSES} more" if len(names) > FEW_CAUSES else ""
        said.append(f"it helps to tell: {', '.join(names[:FEW_CAUSES])}{more}")
    levels = _worse(it, question)
    if levels:
        said.append(_could_mean(it, question, levels[0]))
    if not said:
        said.append(f"it could still mean “{it.knowledge.level(question.levels[0]).would}”")
    return "; ".join(said)


def _could_mean(it: Consultation, question: Question, level: str) -> str:
    would = it.knowledge.level(level).would
    alone = [turn for turn in it.turns if len(turn.changes) == 1 and turn.disposition == level]
    turns = [turn for turn in alone if turn.finding == question.finding]
    if not turns:
        return f"with other answers it could mean “{would}”"
    if it.knowledge.findings[question.finding].type == "yes-no":
        return f"a {turns[0].after} would mean “{would}”"
    return f"{'one answer' if len(turns) == 1 else 'some answers'} would mean “{would}”"


def _worse(it: Consultation, question: Question) -> list[str]:
    """Return the levels above that of the case to which the answer could lead, the most urgent first."""
    return [level for level in question.levels if is_worse(it, level)]


def is_worse(it: Consultation, level: str) -> bool:
    """Tell whether `level` is more urgent than the level of the case; where that cannot be judged, every one is."""
    rank = {d.id: place for place, d in enumerate(it.knowledge.manifest.dispositions)}
    undecided = it.knowledge.manifest.otherwise.unasked
    return level != undecided and (it.level.id == undecided or rank[level] > rank[it.level.id])


def turns_for_the_worse(it: Consultation) -> Iterator[Block]:
    """Yield the answers that would make it more urgent, of those that can change: one alone, then two together."""
    entries = []
    for level, group in groupby((t for t in it.turns if is_worse(it, t.disposition)), key=lambda t: t.disposition):
        item = it.knowledge.level(level)
        said = list(dict.fromkeys(_turned(it, list(group))))
        head = item.net or f"→ {item.would}, if"
        if item.alone:  # each on its own line, lest one be read over
            entries.append(Entry(head, lines=tuple(("", sign) for sign in said)))
            continue
        shown = said if item.screened else said[:FEW_WARNINGS]  # of what is urgent nothing may be left out
        more = f"; and {len(said) - len(shown)} more" if len(said) > len(shown) else ""
        entries.append(Entry(head, lines=(("", "; ".join(shown) + more),)))
    if entries:
        yield Entries(tuple(entries))


def _turned(it: Consultation, turns: list[Turn]) -> Iterator[str]:
    """Yield what `turns` say: an answer each; of two together the first, with every other that goes with it."""
    together: dict[str, list[str]] = {}
    for turn in turns:
        first, *others = (_changed(it, change) for change in turn.changes)
        together.setdefault(first, []).extend(others)
        if not others:
            yield first
    for first, others in together.items():
        if any("," in other for other in others):  # a list of them could be read in two ways
            yield from (f"{first}, and also {other}" for other in others)
        elif others:
            yield f"{first}, and also {listed(others, 'or')}"


def _changed(it: Consultation, change: Change) -> str:
    """Return the statement of the other answer; of a set only what is new in it."""
    before, after = change.before, change.after
    if isinstance(after, frozenset) and isinstance(before, frozenset) and after > before:
        after = after - before
    return Phrases(it.knowledge).answer(change.finding, after)
