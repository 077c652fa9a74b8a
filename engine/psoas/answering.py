"""What a person types at a prompt → answers. Numbers take units, choices a number or a word, lists several of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psoas.case import Refused, read_answer
from psoas.faults import quoted
from psoas.knowledge.conditions import OPEN
from psoas.knowledge.model import Finding, Knowledge
from psoas.memory import Standing, State
from psoas.naming import FINE, NONE, bare, by_words, index, misses
from psoas.quantities import NoQuantity, foreign_unit, quantity

NOT_SURE = {"?", "-", OPEN, "s", "skip", "not sure", "unsure", "no idea", "not done", "not tried", "not checked",
            "don't know", "dont know", "i don't know", "i dont know", "do not know", "i do not know"}  # fmt: skip
SPOKEN = {"y": "yes", "yeah": "yes", "yep": "yes", "true": "yes", "n": "no", "nope": "no", "none": "no", "false": "no"}


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


def is_trial(knowledge: Knowledge, findings: tuple[str, ...]) -> bool:
    """Tell whether a checklist holds things to find out, of which "none" could mean that none was checked."""
    return any(knowledge.findings[name].open for name in findings)


def answers_to(knowledge: Knowledge, findings: tuple[str, ...], text: str) -> dict[str, State]:
    """Return the answers that `text` gives to a sheet of `findings`.

    Raises `Refused` with what is wrong and what is allowed.
    """
    if is_checklist(knowledge, findings):
        return _checked(knowledge, findings, text)
    if len(findings) == 1:
        return {findings[0]: answer_to(knowledge.findings[findings[0]], text)}
    if bare(text) in NOT_SURE:
        return {name: unsure(knowledge.findings[name]) for name in findings}
    parts = next((parts for parts in _ways(text) if len(parts) == len(findings)), None)
    if parts is None:
        names = "; ".join(knowledge.findings[name].name for name in findings)
        raise Refused(
            f"{len(findings)} answers are needed, with commas between them ({names}); ? stands for one you do not know"
        )
    answers: dict[str, State] = {}
    for name, part in zip(findings, parts, strict=True):
        try:
            answers[name] = answer_to(knowledge.findings[name], part)
        except Refused as refusal:
            raise Refused(f"{knowledge.findings[name].name}: {refusal}") from refusal
    _refuse_mixed_units([(knowledge.findings[name], part) for name, part in zip(findings, parts, strict=True)])
    return answers


def _ways(text: str) -> Iterator[list[str]]:
    """Yield the ways to read several answers in `text`, the likeliest first."""
    yield _parts(text)
    yield re.split(r"\s+(?=[0-9?])", text.strip())
    if not re.search(r",\s", text):  # else a comma without a space is a decimal one
        yield [part.strip() for part in text.split(",")]
    yield text.split()


def _refuse_mixed_units(answers: Iterable[tuple[Finding, str]]) -> None:
    """Refuse bare numbers beside others in another unit: `10, 12 miles` may mean 10 miles. Nothing is the same in all.

    `answers` are findings and the numbers typed for them, which can be read.
    """
    measured = [
        (finding, part, foreign_unit(part, finding.unit))
        for finding, part in answers
        if finding.type in ("number", "list of numbers") and bare(part) not in NOT_SURE
    ]
    for finding, part, unit in measured:
        base = finding.unit.partition(" ")[0]
        others = [other for item, _, other in measured if other and item.unit.partition(" ")[0] == base]
        if unit is None and others and quantity(part, finding.unit):
            raise Refused(f"{quoted(part)}: is that {base} or {others[0]}? Write the unit behind each number")


def answer_to(finding: Finding, text: str) -> State:
    """Return the answer that `text` gives to one finding. Raises `Refused`."""
    plain = " ".join(text.split())
    if _is_unsure(finding, text):
        return unsure(finding)
    if not plain:
        raise Refused("nothing was typed; skip says that you do not know")
    if finding.type == "number":
        return read_answer(finding, _number(finding, plain))
    if finding.type == "list of numbers":
        parts = [number for part in _parts(plain) for number in re.split(r"\s+(?:and\s+)?(?=[0-9])", part)]
        if len(parts) == 1:  # nothing but commas, which then stand between the numbers
            parts = plain.split(",")
        return read_answer(finding, _numbers(finding, parts))
    words = [
        _sure_or_open(finding, part) for part in (_listed(plain, finding) if finding.type == "any of" else [plain])
    ]
    if set(words) == {OPEN}:
        return unsure(finding)
    return read_answer(finding, words if finding.type == "any of" else words[0])


def unsure(finding: Finding) -> State:
    """Return what "not sure" means for `finding`: the value it has for that, or unknown."""
    if not finding.open:
        return Standing.UNKNOWN
    return frozenset({finding.open}) if finding.type == "any of" else finding.open


def _is_unsure(finding: Finding, text: str) -> bool:
    return bare(text) in NOT_SURE - finding.values.keys()  # unsure may be one of them


def _numbers(finding: Finding, parts: list[str]) -> list[str]:
    """Return the numbers in `parts`; a unit that stands behind the last alone is that of all."""
    numbers = [_number(finding, part) for part in parts]
    units = [foreign_unit(part, finding.unit) for part in parts]
    if units[-1] and all(unit is None for unit in units[:-1]):
        return [_number(finding, f"{part} {units[-1]}") for part in parts[:-1]] + numbers[-1:]
    _refuse_mixed_units((finding, part) for part in parts)
    return numbers


def _number(finding: Finding, text: str) -> str:
    if bare(text) in NONE and text != "0" and finding.range is not None and 0 in finding.range:
        raise Refused(f"{quoted(text)}: type 0 if it is nothing at all, skip if you do not know")
    try:
        number = round(quantity(text, finding.unit), 4)
    except NoQuantity as error:
        raise Refused(f"{quoted(text)}: {error}") from error
    return f"{number:.4f}"


def _parts(text: str) -> list[str]:
    """Return the parts of `text` between its separators; a comma between digits is none, but a decimal comma."""
    return [part.strip() for part in re.split(r";|,(?=\s)|(?<=[^\d\s]),", text) if part.strip()]


def _listed(text: str, finding: Finding) -> list[str]:
    if by_words(text, _words(finding)) in finding.values:  # one value, whose words may hold a comma
        return [text]
    if "," in text or ";" in text or " and " in text:
        return [part.strip() for part in re.split(r",|;| and ", text) if part.strip()]
    words = text.split()
    known = {*finding.values, *(str(number) for number in range(1, len(finding.values) + 1))}
    return words if len(words) > 1 and all(word.lower().rstrip("?") in known for word in words) else [text]


def _sure_or_open(finding: Finding, text: str) -> str:
    """Return the value that `text` names; `unknown` where it names one with a question mark. Raises `Refused`."""
    if _is_unsure(finding, text):
        return OPEN
    value = _choice(finding, text.rstrip("? "))
    return OPEN if text.endswith("?") else value


def _choice(finding: Finding, text: str) -> str:
    """Return the value that `text` names: by its number in the list, by its id, or by its words."""
    if finding.type == "yes-no":
        return _yes_or_no(finding, text)
    if text.isdecimal():
        return list(finding.values)[index(text, len(finding.values))]
    if finding.type == "one of" and re.fullmatch(r"[0-9]+(?:[\s,;]+(?:and\s+)?[0-9]+)+", text):
        raise Refused("only one of these can be noted; how may say which matters more")
    whole = [value for value, says in finding.values.items() if says.lower() == bare(text)]
    found = whole[0] if len(whole) == 1 else by_words(text, _words(finding))
    if found in finding.values:
        return found
    raise Refused(f"{quoted(text)} {misses(text, list(finding.values.values()))}")


def _yes_or_no(finding: Finding, text: str) -> str:
    """Return yes or no. Words of the statements do not do: most stand in both, or in the wrong one."""
    plain = bare(text)
    said = SPOKEN.get(plain, plain)
    if said in ("yes", "no"):
        return said
    for value, says in finding.values.items():
        if says.lower() == plain or (plain.startswith("no ") and value == "no" and says.lower().startswith(plain)):
            return value
    raise Refused(f"{quoted(text)} is no answer to it; type yes or no, or skip")


def _words(finding: Finding) -> dict[str, str]:
    return {value: f"{value.replace('_', ' ')}. {says}" for value, says in finding.values.items()}


def _checked(knowledge: Knowledge, findings: tuple[str, ...], text: str) -> dict[str, State]:
    plain = bare(text)
    asked = [knowledge.findings[name] for name in findings]
    if plain in NOT_SURE:
        return {finding.id: unsure(finding) for finding in asked}
    trial = is_trial(knowledge, findings)
    if plain in NONE and trial:
        raise Refused(
            f"{quoted(plain)} could mean two things here: skip says that you checked nothing, fine that you checked "
            f"all and found none of these"
        )
    if plain in FINE and not trial:
        raise Refused(f"{quoted(plain)} names no line; type none if nothing of it is so")
    chosen: dict[str, set[str]] = {}
    doubted: dict[str, set[str]] = {}
    if plain not in NONE and not (trial and plain in FINE):
        for sign, sure in _chosen(signs(knowledge, findings), text):
            (chosen if sure else doubted).setdefault(sign.finding, set()).add(sign.value)
    return {finding.id: _ticked(finding, chosen.get(finding.id, set()), doubted.get(finding.id)) for finding in asked}


def _chosen(lines: tuple[Sign, ...], text: str) -> Iterator[tuple[Sign, bool]]:
    """Yield each line that `text` chooses, and whether it is sure of it (`3?` is not)."""
    whole = [line for line in lines if line.says.lower() == bare(text)]
    if len(whole) == 1:
        yield whole[0], True
        return
    parts = [part.strip() for part in re.split(r"[,;]|\band\b|(?<=[0-9?])\s+(?=[0-9])", text) if part.strip()]
    if not parts:
        raise Refused("nothing was typed; choose numbers from the list, none, or skip if you do not know")
    for part in parts:
        yield _line(lines, part.rstrip("? ")), not part.endswith("?")


def _line(lines: tuple[Sign, ...], word: str) -> Sign:
    if word.isdecimal():
        return lines[index(word, len(lines))]
    if bare(word) in NONE:
        raise Refused("none cannot be said together with others")
    words = {str(number): f"{line.value.replace('_', ' ')}. {line.says}" for number, line in enumerate(lines)}
    found = by_words(word, words)
    if found.isdecimal():
        return lines[int(found)]
    raise Refused(f"{quoted(word)} {misses(word, [line.says for line in lines])}")


def _ticked(finding: Finding, chosen: set[str], doubted: set[str] | None) -> State:
    """Return the answer to `finding` of which these values were chosen, and these with a question mark."""
    if finding.type == "any of":
        if not chosen:
            return unsure(finding) if doubted else frozenset({finding.clear})
        return read_answer(finding, [*sorted(chosen), *([OPEN] if doubted else [])])
    named = chosen | (doubted or set())
    if chosen and len(named) > 1:  # to pass over one of them could hide the graver
        both = "; ".join(f"“{says}”" for value, says in finding.values.items() if value in named)
        raise Refused(f"only one of these can be noted: {both}. Choose one; how says which matters more")
    if not chosen:
        return unsure(finding) if doubted else finding.clear
    return chosen.pop()
