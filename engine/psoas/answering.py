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

NOT_SURE = {"?", "-", OPEN, "s", "skip", "not sure", "unsure", "no idea", "not done", "not tried", "not checked",
            "don't know", "dont know", "i don't know", "i dont know", "do not know", "i do not know"}  # fmt: skip
NONE = {"none", "no", "n", "0", "none of these", "none of them", "nothing"}
SPOKEN = {"y": "yes", "yeah": "yes", "yep": "yes", "true": "yes", "n": "no", "nope": "no", "none": "no", "false": "no"}
FINE = {"fine", "all fine", "all were fine", "all was fine", "ok", "all ok", "normal", "all normal"}


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
    if _plain(text) in NOT_SURE:
        return {name: unsure(knowledge.findings[name]) for name in findings}
    ways = (_parts(text), re.split(r"\s+(?=[0-9?])", text.strip()), text.split(), re.split(r"[\s,;]+", text.strip()))
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
    if _plain(text) in NOT_SURE:
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


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())


def _number(finding: Finding, text: str) -> str:
    try:
        number = round(quantity(text, finding.unit), 4)
    except NoQuantity as error:
        raise Refused(f"{quoted(text)}: {error}") from error
    return f"{number:.4f}"


def _parts(text: str) -> list[str]:
    """Return the parts of `text` between its separators; a comma between digits is none, but a decimal comma."""
    return [part.strip() for part in re.split(r";|,(?=\s)|(?<=[^\d\s]),", text) if part.strip()]


def _listed(text: str, finding: Finding) -> list[str]:
    if _by_words(text, _words(finding)) in finding.values:  # one value, whose words may hold a comma
        return [text]
    if "," in text or ";" in text or " and " in text:
        return [part.strip() for part in re.split(r",|;| and ", text) if part.strip()]
    words = text.split()
    known = {*finding.values, *(str(number) for number in range(1, len(finding.values) + 1))}
    return words if len(words) > 1 and all(word.lower().rstrip("?") in known for word in words) else [text]


def _sure_or_open(finding: Finding, text: str) -> str:
    """Return the value that `text` names; `unknown` where it names one with a question mark. Raises `Refused`."""
    if _plain(text) in NOT_SURE:
        return OPEN
    value = _choice(finding, text.rstrip("? "))
    return OPEN if text.endswith("?") else value


def _choice(finding: Finding, text: str) -> str:
    """Return the value that `text` names: by its number in the list, by its id, or by its words."""
    if finding.type == "yes-no":
        text = SPOKEN.get(_plain(text), text)
    elif text.isdecimal():
        return list(finding.values)[_index(text, len(finding.values))]
    found = _by_words(text, _words(finding))
    if found in finding.values:
        return found
    if finding.type == "yes-no":
        raise Refused(f"{quoted(text)} is no answer to it; type yes or no, or skip")
    raise Refused(f"{quoted(text)} {_misses(text, list(finding.values.values()))}")


def _misses(text: str, lines: list[str]) -> str:
    """Return why `text` names none of `lines`, and what was meant."""
    if len([line for line in lines if _holds(text, line)]) > 1:
        return "stands in several lines; type the number of the one that is meant"
    words = {word.strip(",();"): line for line in lines for word in line.lower().split() if len(word) > 3}
    close = nearest(text, lines) or tuple(words[word] for word in nearest(text, words))
    hint = f"did you mean: {close[0]}?" if close else "type a number or a word from it, or skip"
    return f"is not in the list; {hint}"


def _holds(text: str, words: str) -> bool:
    """Tell whether `words` hold `text`, unless it is too short to mean them."""
    return len(text) >= 3 and text.lower().replace("_", " ") in words.lower()


def _words(finding: Finding) -> dict[str, str]:
    return {value: f"{value.replace('_', ' ')} {says}" for value, says in finding.values.items()}


def _index(text: str, length: int) -> int:
    """Return the place in a list of the number that a person counts from 1."""
    number = int(text) if len(text) < 10 else 0
    if not 1 <= number <= length:
        raise Refused(f"there is no {text[:20]} in the list; it goes from 1 to {length}")
    return number - 1


def _by_words(text: str, known: Mapping[str, str]) -> str:
    """Return the one of `known` (id → words) that `text` names; `text` itself where none or several would do."""
    plain = text.lower().replace("-", "_").replace(" ", "_")
    if plain in known or not plain:
        return plain
    starting = [value for value in known if value.startswith(plain)]
    containing = starting or [value for value, words in known.items() if _holds(text, words)]
    return containing[0] if len(containing) == 1 else text


def _checked(knowledge: Knowledge, findings: tuple[str, ...], text: str) -> dict[str, State]:
    plain = _plain(text)
    asked = [knowledge.findings[name] for name in findings]
    if plain in NOT_SURE:
        return {finding.id: unsure(finding) for finding in asked}
    trial = is_trial(knowledge, findings)
    if plain in NONE and trial:
        raise Refused(
            f"{quoted(plain)} could mean two things here: skip says that you checked nothing, fine that you checked "
            f"all and found none of these"
        )
    chosen: dict[str, set[str]] = {}
    doubted: dict[str, set[str]] = {}
    if plain not in NONE and not (trial and plain in FINE):
        for sign, sure in _chosen(signs(knowledge, findings), text):
            (chosen if sure else doubted).setdefault(sign.finding, set()).add(sign.value)
    return {finding.id: _ticked(finding, chosen.get(finding.id, set()), doubted.get(finding.id)) for finding in asked}


def _chosen(lines: tuple[Sign, ...], text: str) -> Iterator[tuple[Sign, bool]]:
    """Yield each line that `text` chooses, and whether it is sure of it (`3?` is not)."""
    whole = [line for line in lines if line.says.lower() == _plain(text)]
    if len(whole) == 1:
        yield whole[0], True
        return
    parts = [part.strip() for part in re.split(r"[,;]|\band\b|(?<=[0-9?])\s+(?=[0-9])", text) if part.strip()]
    if not parts:
        raise Refused("nothing was typed; choose numbers from the list, or skip")
    for part in parts:
        yield _line(lines, part.rstrip("? ")), not part.endswith("?")


def _line(lines: tuple[Sign, ...], word: str) -> Sign:
    if word.isdecimal():
        return lines[_index(word, len(lines))]
    if _plain(word) in NONE:
        raise Refused("none cannot be said together with others")
    words = {str(number): f"{line.value.replace('_', ' ')} {line.says}" for number, line in enumerate(lines)}
    found = _by_words(word, words)
    if found.isdecimal():
        return lines[int(found)]
    raise Refused(f"{quoted(word)} {_misses(word, [line.says for line in lines])}")


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
