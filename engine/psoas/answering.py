"""What a person types at a prompt → answers. Numbers take units, choices a number or a word, lists several of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psoas.case import Refused, read_answer
from psoas.faults import nearest, quoted
from psoas.knowledge.conditions import OPEN
from psoas.knowledge.model import Finding, Knowledge
from psoas.memory import Standing, State
from psoas.quantities import NoQuantity, quantity

NOT_SURE = {"?", "-", "unknown", "skip", "not sure", "unsure", "don't know", "dont know", "not done", "i don't know"}
NONE = {"none", "no", "n", "0", "none of these", "nothing"}


@dataclass(frozen=True, slots=True)
class Sign:
    """One line of a checklist: choosing it gives `finding` the answer `value`."""

    finding: str
    value: str
    says: str


def signs(knowledge: Knowledge, findings: tuple[str, ...]) -> tuple[Sign, ...]:
    """Return the lines of the checklist of these findings: each value that is not the one for "none of these"."""
    return tuple(
        Sign(name, value, says)
        for name in findings
        for value, says in knowledge.findings[name].values.items()
        if value not in (knowledge.findings[name].clear, knowledge.findings[name].open)
    )


def is_checklist(knowledge: Knowledge, findings: tuple[str, ...]) -> bool:
    """Tell whether these findings are asked as a list of signs to choose from."""
    return len(findings) > 1 and all(knowledge.findings[name].clear for name in findings)


def answers_to(knowledge: Knowledge, findings: tuple[str, ...], text: str) -> dict[str, State]:
    """Return the answers that `text` gives to a sheet of `findings`.

    Raises `Refused` with what is wrong and what is allowed.
    """
    if is_checklist(knowledge, findings):
        return _checked(knowledge, findings, text)
    if len(findings) == 1:
        return {findings[0]: answer_to(knowledge.findings[findings[0]], text)}
    if text.strip().lower() in NOT_SURE:
        return {name: unsure(knowledge.findings[name]) for name in findings}
    ways = (_parts(text), text.replace(";", " ").split(), re.split(r"[\s,;]+", text.strip()))
    parts = next((parts for parts in ways if len(parts) == len(findings)), None)
    if parts is None:
        raise Refused(f"{len(findings)} answers are needed, with commas between them; ? stands for one you do not know")
    answers = {}
    for name, part in zip(findings, parts, strict=True):
        try:
            answers[name] = answer_to(knowledge.findings[name], part)
        except Refused as refusal:
            raise Refused(f"{knowledge.findings[name].name}: {refusal}") from refusal
    return answers


def answer_to(finding: Finding, text: str) -> State:
    """Return the answer that `text` gives to one finding. Raises `Refused`."""
    plain = " ".join(text.split())
    if plain.lower() in NOT_SURE:
        return unsure(finding)
    if not plain:
        raise Refused("nothing was typed; skip says that you do not know")
    if finding.type == "number":
        return read_answer(finding, _number(finding, plain))
    if finding.type == "list of numbers":
        parts = [number for part in _parts(plain) for number in re.split(r"\s+(?=[0-9])", part)]
        if len(parts) == 1:  # nothing but commas, which then stand between the numbers
            parts = plain.split(",")
        return read_answer(finding, [_number(finding, part) for part in parts])
    if finding.type == "any of":
        return read_answer(finding, [_choice(finding, part) for part in _listed(plain, finding)])
    return read_answer(finding, _choice(finding, plain))


def unsure(finding: Finding) -> State:
    """Return what "not sure" means for `finding`: the value it has for that, or unknown."""
    if not finding.open:
        return Standing.UNKNOWN
    return frozenset({finding.open}) if finding.type == "any of" else finding.open


def _number(finding: Finding, text: str) -> str:
    try:
        number = quantity(text, finding.unit)
    except NoQuantity as error:
        raise Refused(f"{quoted(text)}: {error}") from error
    return f"{number:.10g}"


def _parts(text: str) -> list[str]:
    """Return the parts of `text` between its separators; a comma between digits is none, but a decimal comma."""
    return [part.strip() for part in re.split(r";|,(?=\s)|(?<=[^\d\s]),", text) if part.strip()]


def _listed(text: str, finding: Finding) -> list[str]:
    if "," in text or ";" in text or " and " in text:
        return [part.strip() for part in re.split(r",|;| and ", text) if part.strip()]
    words = text.split()
    known = {*finding.values, *(str(number) for number in range(1, len(finding.values) + 1))}
    return words if len(words) > 1 and all(word.lower() in known for word in words) else [text]


def _choice(finding: Finding, text: str) -> str:
    """Return the value that `text` names: by its number in the list, by its id, or by its words."""
    values = list(finding.values)
    if text.isdecimal() and finding.type != "yes-no":
        number = int(text)
        if not 1 <= number <= len(values):
            raise Refused(f"there is no {text} in the list; it goes from 1 to {len(values)}")
        return values[number - 1]
    if text.isdecimal():
        return text
    return _by_words(text, {value: f"{value.replace('_', ' ')} {says}" for value, says in finding.values.items()})


def _by_words(text: str, known: Mapping[str, str]) -> str:
    """Return the one of `known` (id → words) that `text` names; `text` itself where none or several would do."""
    plain = text.lower().replace("-", "_").replace(" ", "_")
    if plain in known:
        return plain
    starting = [value for value in known if value.startswith(plain)]
    long_enough = len(text) >= 3
    containing = starting or [v for v, words in known.items() if long_enough and text.lower() in words.lower()]
    return containing[0] if len(containing) == 1 else text


def _checked(knowledge: Knowledge, findings: tuple[str, ...], text: str) -> dict[str, State]:
    lines = signs(knowledge, findings)
    plain = " ".join(text.lower().split())
    if plain in NOT_SURE:
        return {name: unsure(knowledge.findings[name]) for name in findings}
    chosen: dict[str, set[str]] = {}
    open_: set[str] = set()
    if plain not in NONE:
        for sign, sure in _chosen(lines, text):
            if sure:
                chosen.setdefault(sign.finding, set()).add(sign.value)
            else:
                open_.add(sign.finding)
    return {name: _answer(knowledge.findings[name], chosen.get(name, set()), name in open_) for name in findings}


def _chosen(lines: tuple[Sign, ...], text: str) -> Iterator[tuple[Sign, bool]]:
    """Yield each line that `text` chooses, and whether it is sure of it (`3?` is not)."""
    parts = [part.strip() for part in re.split(r"[,;]|\band\b|(?<=[0-9?])\s+(?=[0-9])", text) if part.strip()]
    if not parts:
        raise Refused("nothing was typed; none says that nothing of it is so")
    for part in parts:
        sure = not part.endswith("?")
        word = part.rstrip("?").strip()
        if word.isdecimal():
            if not 1 <= int(word) <= len(lines):
                raise Refused(f"there is no {word} in the list; it goes from 1 to {len(lines)}")
            yield lines[int(word) - 1], sure
            continue
        known = {str(number): f"{line.value.replace('_', ' ')} {line.says}" for number, line in enumerate(lines)}
        found = _by_words(word, known)
        if found == word:
            close = nearest(word, [*(line.says for line in lines), "none"])
            hint = f"; did you mean: {close[0]}?" if close else "; type the numbers of those that are so, or none"
            raise Refused(f"{quoted(word)} is not in the list{hint}")
        yield lines[int(found)], sure


def _answer(finding: Finding, chosen: set[str], is_open: bool) -> State:
    if is_open and not chosen:
        return unsure(finding)
    if not chosen:
        return frozenset({finding.clear}) if finding.type == "any of" else finding.clear
    if finding.type == "any of":
        return read_answer(finding, [*sorted(chosen), *([OPEN] if is_open else [])])
    if len(chosen) > 1:
        both = " and ".join(f"“{finding.values[value]}”" for value in finding.values if value in chosen)
        raise Refused(f"{both} cannot both be so: choose one")
    return chosen.pop()
