"""A case: who it is about and what was answered. A case file → `Case`, with what had to be refused and why."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Hint, Place, Unusable, quoted, suggest
from psoas.knowledge.conditions import OPEN, evaluate
from psoas.knowledge.model import Finding, Knowledge
from psoas.knowledge.reader import to_number
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from psoas.yamltext import flow, is_blank, parse, place_of, read_bytes

MAX_CASE_BYTES = 200_000  # far above any real case; a larger file is not one
YES_NO = {"yes": "yes", "no": "no", "y": "yes", "n": "no", "true": "yes", "false": "no"}


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer that cannot be used: what was written, and why it counts as unknown."""

    finding: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a worked case expects of its consultation."""

    disposition: str = ""
    causes: tuple[str, ...] = ()  # the leading one first
    certainty: Mapping[str, str] = field(
        default_factory=dict
    )  # cause → how certain: its word, or its number as reported
    not_causes: tuple[str, ...] = ()  # what must not be established
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A case as read: valid answers and `Standing.UNKNOWN` for those asked and open, and what was refused."""

    id: str
    title: str = ""
    answers: Mapping[str, State] = field(default_factory=dict)
    rejected: tuple[Rejection, ...] = ()
    expect: Expectation | None = None
    story: str = ""
    written: Mapping[str, str | Sequence[str]] = field(default_factory=dict)  # the answers as they were typed


class Refused(ValueError):
    """A value is not one its finding allows; the message says what is."""


def read_answer(finding: Finding, written: str | Sequence[str]) -> State:
    """Return the answer `written` gives to `finding`: a word, a number's text, or a list of either.

    Raises `Refused` with the reason for anything outside the declared type, range or list.
    """
    words = [written] if isinstance(written, str) else list(written)
    words = [word.strip() for word in words]
    if [word.lower() for word in words] == [OPEN]:
        return Standing.UNKNOWN
    if finding.type == "any of":
        return _chosen(finding, words)
    if finding.type == "list of numbers":
        return _series(finding, words)
    if len(words) != 1:
        raise Refused(f"one answer is needed, not {len(words)}")
    if finding.type == "number":
        return _in_range(finding, words[0])
    return _word(finding, words[0])


def _word(finding: Finding, word: str) -> str:
    if finding.type == "yes-no" and word.lower() in YES_NO:
        return YES_NO[word.lower()]
    plain = word.lower().replace("-", "_").replace(" ", "_")
    if plain in finding.values:
        return plain
    raise Refused(_not_allowed(finding, word))


def _not_allowed(finding: Finding, word: str) -> str:
    allowed = [*finding.values, OPEN]
    hint = suggest(word.lower(), allowed)
    return f"{quoted(word)} is no answer to it; {hint or 'allowed: ' + ', '.join(allowed)}"


def _chosen(finding: Finding, words: list[str]) -> frozenset[str]:
    if not words:
        nothing = f"write {finding.alone[0]} if that is the answer, or unknown" if finding.alone else "write unknown"
        raise Refused(f"the list is empty; {nothing}")
    chosen = frozenset(OPEN if word.lower() == OPEN else _word(finding, word) for word in words)
    excluding = chosen & set(finding.alone)
    if excluding and len(chosen) > 1:
        raise Refused(f"{quoted(min(excluding))} cannot be true together with another answer")
    return chosen


def _in_range(finding: Finding, word: str) -> float:
    number = to_number(word)
    if number is None:
        raise Refused(f"{quoted(word)} is not a number")
    assert finding.range is not None
    if number not in finding.range:
        raise Refused(f"{number:g} lies outside {finding.range.low:g} to {finding.range.high:g} {finding.unit}".strip())
    return number


def _series(finding: Finding, words: list[str]) -> tuple[float, ...]:
    assert finding.length is not None
    if len(words) not in finding.length:
        raise Refused(f"{finding.length.low:g} to {finding.length.high:g} numbers are needed, not {len(words)}")
    return tuple(_in_range(finding, word) for word in words)


def make_case(
    knowledge: Knowledge, answers: Mapping[str, str | Sequence[str]], *, id: str = "case", title: str = ""
) -> Case:
    """Return the case with the `answers` as written (finding → text, or list of texts).

    What is refused, by range, list or contradiction, is kept in `rejected` and counts as unknown.
    Raises `Unusable` for a name that is no finding.
    """
    unknown = [name for name in answers if name not in knowledge.findings]
    if unknown:
        raise Unusable(
            Fault(Place(id), f"there is no finding {quoted(n)}", suggest(n, knowledge.findings)) for n in unknown
        )
    states: dict[str, State] = {}
    rejected: list[Rejection] = []
    for name, written in answers.items():
        try:
            states[name] = read_answer(knowledge.findings[name], written)
        except Refused as refusal:
            states[name] = Standing.UNKNOWN
            rejected.append(Rejection(name, _as_written(written), str(refusal)))
    rejected += _contradictions(knowledge, states, answers)
    states.update({item.finding: Standing.UNKNOWN for item in rejected})
    return Case(
        id,
        title,
        {name: states[name] for name in sorted(states)},
        tuple(sorted(rejected, key=lambda item: item.finding)),
        written=dict(answers),
    )


def case_of(id: str, answers: Mapping[str, State], *, title: str = "") -> Case:
    """Return the case with these `answers`, as a reader would have typed them."""
    ordered = dict(sorted(answers.items()))
    return Case(id, title, ordered, written={name: as_written(state) for name, state in ordered.items()})


def _contradictions(
    knowledge: Knowledge, states: Mapping[str, State], written: Mapping[str, str | Sequence[str]]
) -> list[Rejection]:
    """Return the refusals of answers that contradict each other, all judged on the answers as given."""
    memory = WorkingMemory(Vocabulary(knowledge), states)
    refused: dict[str, Rejection] = {}
    for rule in knowledge.contradictions.values():
        if evaluate(rule.when, memory.now, lambda symbol: None):
            for name in rule.refuse:
                if name in states and name not in refused:
                    refused[name] = Rejection(name, _as_written(written[name]), rule.because)
    return list(refused.values())


def _as_written(written: str | Sequence[str]) -> str:
    return written if isinstance(written, str) else ", ".join(written)


def read_case(knowledge: Knowledge, source: Path | None) -> Case:
    """Return the case in the file `source` (None: standard input).

    Raises `Unusable`, with the place of every fault, where the file is no case: not YAML, unknown keys or findings,
    nested values, nothing answered.
    """
    return _read(knowledge, source, None)


def _read(knowledge: Knowledge, source: Path | None, lost: list[Rejection] | None) -> Case:
    name = str(source) if source else "<stdin>"
    data = read_bytes(source)
    if len(data) > MAX_CASE_BYTES:
        raise Unusable([Fault(Place(name), f"is larger than {MAX_CASE_BYTES // 1000} kB", "it is no case")])
    root = parse(data, name)
    if root is None:
        raise Unusable([Fault(Place(name), "is empty", "a case has the keys id, title and answers")])
    stem = os.fsencode(source.stem).decode("utf-8", "replace") if source else "stdin"
    return CaseReader(knowledge, name, lost).read(root, default_id=stem)


def recover_case(knowledge: Knowledge, source: Path) -> tuple[Case, tuple[Rejection, ...]]:
    """Return the case in the file `source`, written for an older knowledge base, and the answers this one cannot take.

    Those are left out, as if they had not been given: of questions that are gone, and of values that are.
    Raises `Unusable` as `read_case` does.
    """
    lost: list[Rejection] = []
    return _read(knowledge, source, lost), tuple(lost)


class CaseReader:
    """Reads one case file's tree, collecting the faults; in `lost`, if given, the answers that cannot be taken."""

    KEYS = ("id", "title", "story", "answers", "expect", "note")
    EXPECT = ("disposition", "causes", "certainty", "not_causes", "chain", "include", "exclude", "ask_next")

    def __init__(self, knowledge: Knowledge, file: str, lost: list[Rejection] | None = None) -> None:
        self.knowledge = knowledge
        self.file = file
        self.lost = lost
        self.faults: list[Fault] = []

    def read(self, root: Node, default_id: str) -> Case:
        """Return the case. Raises `Unusable` with all faults."""
        parts = self.mapping(root, self.KEYS, "a case")
        if not self.faults and "answers" not in parts:
            self.fault(root, "has no answers", "write them under the key answers, as finding: value")
        answers = self.answers(parts["answers"]) if "answers" in parts else {}
        texts = {key: self.text(parts[key]) for key in ("id", "title", "story") if key in parts}
        expect = self.expectation(parts["expect"]) if "expect" in parts else None
        if self.faults:
            raise Unusable(self.faults)
        case = make_case(self.knowledge, answers, id=texts.get("id") or default_id, title=texts.get("title", ""))
        return dataclasses.replace(case, expect=expect, story=texts.get("story", ""))

    def fault(self, node: Node, message: str, hint: Hint = "") -> None:
        """Record a fault at `node`."""
        self.faults.append(Fault(place_of(node, self.file), message, hint))

    def mapping(self, node: Node, allowed: Any, what: str) -> dict[str, Node]:
        """Return key → node of a mapping whose keys must be `allowed`."""
        if not isinstance(node, MappingNode):
            self.fault(node, f"is not {what}", "it must be a mapping: key: value")
            return {}
        for key, _ in node.value:
            if key.value not in allowed and not (what == "answers" and self.lost is not None):
                kind = "finding" if what == "answers" else "key"
                hint: Hint = suggest(key.value, allowed)
                if allowed is self.KEYS and key.value in self.knowledge.findings:
                    hint = f"it is an answer: indent it under answers:, as {key.value}: …"
                self.fault(key, f"there is no {kind} {quoted(key.value)}", hint)
        return {key.value: value for key, value in node.value}

    def text(self, node: Node) -> str:
        """Return the text of a scalar, its white space folded; empty where there is none."""
        if not isinstance(node, ScalarNode):
            self.fault(node, "must be a text")
            return ""
        return "" if is_blank(node) else " ".join(node.value.split())

    def answers(self, node: Node) -> dict[str, str | list[str]]:
        """Return finding → what was written. A key with nothing after it is a question not answered yet."""
        written = {name: value for name, value in self.entries(node).items() if value is not None}
        return written if self.lost is None else self.valid(written, self.lost)

    def entries(self, node: Node) -> dict[str, str | list[str] | None]:
        """Return finding → what was written, None for a key with nothing after it."""
        if is_blank(node):
            return {}
        written: dict[str, str | list[str] | None] = {}
        for name, value in self.mapping(node, self.knowledge.findings, "answers").items():
            if isinstance(value, ScalarNode):
                written[name] = None if is_blank(value) else value.value
            elif isinstance(value, SequenceNode) and all(isinstance(part, ScalarNode) for part in value.value):
                written[name] = [part.value for part in value.value]
            else:
                self.fault(value, f"an answer to {name} is a word, a number or a list of them")
        return written

    def valid(self, written: dict[str, str | list[str]], lost: list[Rejection]) -> dict[str, str | list[str]]:
        """Return what of `written` the knowledge base takes; enter the rest in `lost`."""
        kept = {}
        for name, words in written.items():
            try:
                if name not in self.knowledge.findings:
                    raise Refused("there is no such question")
                read_answer(self.knowledge.findings[name], words)
                kept[name] = words
            except Refused as refusal:
                lost.append(Rejection(name, _as_written(words), str(refusal)))
        return kept

    def expectation(self, node: Node) -> Expectation:
        """Return what a case expects."""
        parts = self.mapping(node, self.EXPECT, "an expectation")
        causes, not_causes, include, exclude = (
            self.listed(parts[key]) if key in parts else () for key in ("causes", "not_causes", "include", "exclude")
        )
        words: dict[str, str] = {}
        if "certainty" in parts:
            named = self.mapping(parts["certainty"], self.knowledge.conclusions, "a certainty")
            words = {cause: self.text(word) for cause, word in named.items()}
        disposition = self.text(parts["disposition"]) if "disposition" in parts else ""
        return Expectation(disposition, causes, words, not_causes, include, exclude)

    def listed(self, node: Node) -> tuple[str, ...]:
        """Return the words of a list, or the keys of a mapping whose values give reasons."""
        if isinstance(node, MappingNode):
            return tuple(key.value for key, _ in node.value)
        parts = node.value if isinstance(node, SequenceNode) else [node]
        return tuple(self.text(part) for part in parts)


def case_text(knowledge: Knowledge, case: Case) -> str:
    """Return `case` as the text of a case file: read again it gives the same answers, refused ones included."""
    refused = {item.finding: item for item in case.rejected}
    head = {"id": case.id, "title": case.title, "story": case.story}
    lines = [*(f"{key}: {flow(text)}" for key, text in head.items() if text or key == "id"), "answers:"]
    for name, state in case.answers.items():
        lines.append(f"  # {knowledge.findings[name].question}")
        if name in refused:
            lines.append(f"  # refused: {' '.join(refused[name].reason.split())}")
        lines.append(f"  {name}: {flow(case.written.get(name, plain(state)))}")
    return "\n".join(lines) + "\n"


def as_written(value: State) -> str | list[str]:
    """Return an answer as it may be written into a case file."""
    if isinstance(value, Standing):
        return OPEN
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [f"{number:.10g}" for number in value]
    return f"{value:.10g}" if isinstance(value, float) else value


def plain(value: State) -> Any:
    """Return an answer as JSON has it: text, number, list; `unknown` for one asked and open."""
    if isinstance(value, Standing):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [plain(number) for number in value]
    if isinstance(value, float) and value == int(value):
        return int(value)
    return value
