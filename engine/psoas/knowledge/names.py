"""Names that files use and nothing bears: which they are, and what was meant by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set

from psoas.faults import Fault, Hint, a, quoted, suggest
from psoas.knowledge.model import Answerable, Finding, Knowledge
from psoas.knowledge.reader import Mention, to_number

_NOUN = {"input": "numeric finding", "symbol": "conclusion", "test": "finding", "evidence": "grade of evidence"}
"""What the kind of a name is called where that is not its own word."""

_SORTS = (
    "conclusion",
    "test",
    "remedy",
    "level",
    "strength",
    "evidence",
    "kind",
    "tier",
    "occasion",
    "source",
    "trait",
)
"""The kinds in which a name that is none of the wanted kind is looked for."""

_FOR = {"and": "all", "or": "any", "at_least": "at least", "atleast": "at least", "none": "not", "either": "any"}
"""Words for which the rule language has others."""


def unknown_names(
    knowledge: Knowledge, known: Mapping[str, Set[str]], mentions: Iterable[Mention], broken: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield a fault for each mention of a name that is not `known` as of its kind, nor that of a `broken` item."""
    for mention in mentions:
        if mention.name not in known[mention.kind] and mention.name not in broken:
            noun = _NOUN.get(mention.kind, mention.kind)
            yield Fault(mention.place, f"there is no {noun} {quoted(mention.name)}", _hint(mention, knowledge, known))


def _hint(mention: Mention, knowledge: Knowledge, known: Mapping[str, Set[str]]) -> Hint:
    kind, name = mention.kind, mention.name
    hint: Hint = ""
    if kind == "symbol":
        hint = _bare(name, knowledge)
    elif kind == "test":
        hint = _tested(name, known)
    elif kind in ("finding", "input"):
        hint = _asked(name, knowledge)
    elif kind == "strength" and to_number(name) is not None:
        hint = f"a strength is a word: {', '.join(knowledge.manifest.strengths)}"
    hint = hint or _of_another_kind(kind, name, known)
    otherwise = "sources stand under sources/; for what none of them gives, write expert default"
    return hint or suggest(name, known[kind], otherwise if kind == "source" else "")


def _of_another_kind(kind: str, name: str, known: Mapping[str, Set[str]]) -> str:
    for sort in _SORTS:
        if name in known[sort]:
            noun, wanted = _NOUN.get(sort, sort), _NOUN.get(kind, kind)
            use = "; a rule decides a level under level:" if sort == "level" else ""
            return f"it is {a(noun)}, and {a(wanted)} is needed{use}"
    return ""


def _bare(name: str, knowledge: Knowledge) -> str:
    """Return what is meant by the bare word `name` in a condition."""
    first, _, rest = name.partition(" ")
    if name in knowledge.vocabulary:
        return f"it is a finding: write {{{name}: {_example(knowledge.vocabulary[name])}}} to test it"
    if first in knowledge.vocabulary:
        return f"write {{{first}: {rest.removeprefix('is ')}}} to test a finding"
    for word, combinator in (("and", "all"), ("or", "any")):
        parts = re.split(rf" {word} ", name)
        if len(parts) > 1:
            return f"write {{{combinator}: [{', '.join(parts)}]}}"
    if first == "not":
        return "write {not: {finding: test}}, or put a conclusion that must be absent under unless:"
    return "write {finding: test} to test a finding" if name in ("yes", "no", "true", "false") else ""


def _example(subject: Answerable) -> str:
    if not isinstance(subject, Finding) or subject.type == "number":
        return "at least 5"
    first = next(iter(subject.values), "answered")
    return f"includes {first}" if subject.type == "any of" else first


def _tested(name: str, known: Mapping[str, Set[str]]) -> str:
    """Return what is meant by the key `name` in a condition, where only findings are tested."""
    if name in _FOR:
        return f"write {_FOR[name]}: instead"
    if name in ("if", "unless", "then"):
        return f"{name}: is a key of the rule itself, and no part of a condition"
    for sort in ("conclusion", "remedy", "level"):
        if name in known[sort]:
            return f"it is a {sort}: write {name} alone, without a test; what must be absent stands under unless:"
    return f"write {name} alone, without a test" if name in known["symbol"] else ""


def _asked(name: str, knowledge: Knowledge) -> str:
    """Return why `name` is no finding that is asked, or no number."""
    if name in knowledge.calculated:
        inputs = ", ".join(knowledge.calculated[name].formula.inputs)
        return f"it is calculated, and only what is asked can stand here: {inputs}"
    return f"it is a finding of the type {quoted(knowledge.findings[name].type)}" if name in knowledge.findings else ""
