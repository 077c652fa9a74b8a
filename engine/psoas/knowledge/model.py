"""The nouns of a knowledge base, as they stand in its YAML files. A field's comment is its meaning to an author.

`names("x")` marks a field whose words must be ids of an x elsewhere; `key("if")` gives a field the YAML key that
Python would not allow. Everything is frozen: a knowledge base is read once and never changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

from psoas.faults import Place
from psoas.knowledge.conditions import Condition
from psoas.knowledge.formulas import Formula


@dataclass(frozen=True, slots=True)
class Span:
    """A closed range of numbers, written `0 to 10`."""

    low: float
    high: float

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high


class Alternatives(tuple[Condition, ...]):
    """Conditions of which any one is enough; in YAML one condition or a list of them."""

    __slots__ = ()


def names(kind: str, *, required: bool = False, key: str = "") -> Any:
    """Return a field for ids that must exist as a `kind`."""
    metadata = {"names": kind, "key": key}
    return field(metadata=metadata) if required else field(default=(), metadata=metadata)


def key(name: str, default: Any = None) -> Any:
    """Return an optional field that stands in YAML under the key `name`."""
    return field(default=default, metadata={"key": name})


FindingType = Literal["yes-no", "one of", "any of", "number", "list of numbers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that can be asked and answered."""

    id: str  # one word, never changed again: cases and tables use it
    name: str  # a noun phrase for lists and the middle of a sentence
    question: str  # in plain words, to be answered without any other
    type: FindingType
    how: str = ""  # how to test it on oneself
    values: Mapping[str, str] = field(default_factory=dict)  # each value → the statement it makes
    alone: tuple[str, ...] = ()  # values that exclude every other
    unit: str = ""  # of a number
    range: Span | None = None  # of a number: 0 to 10; whatever lies outside is refused
    length: Span | None = None  # of a list of numbers: how many
    says: str = ""  # a statement with {} where the number, or a test of it, goes
    applies: Condition | None = None  # where the question makes sense; elsewhere it is not asked
    fixed: bool = False  # nobody can change it from one day to the next
    clear: str = ""  # of a choice: the value that "none of these" stands for in a list
    open: str = ""  # of a choice: the value that "not sure", or "not done", stands for, if it has one of its own
    lasting: tuple[str, ...] = ()  # values that cannot begin from one day to the next
    grows: bool = False  # of a number: it only becomes greater
    sources: tuple[str, ...] = names("source")  # who asks for it
    place: Place = field(default=Place(""), compare=False)

    @property
    def topic(self) -> str:
        """The topic: the stem of the file it stands in."""
        return self.place.file.rsplit("/", 1)[-1].rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculated:
    """A number worked out from answers; never asked."""

    id: str
    name: str
    formula: Formula = field(metadata={"key": "is"})  # of asked numbers: + - * /, first last largest mean rise …
    unit: str = ""
    says: str = ""  # a statement with {} where the number, or a test of it, goes
    place: Place = field(default=Place(""), compare=False)

    type = "number"


Answerable: TypeAlias = Finding | Calculated


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Answers that cannot both be right: where `when` holds, those in `refuse` count as unknown."""

    id: str
    when: Condition = field(metadata={"key": "if"})
    refuse: tuple[str, ...] = names("finding", required=True)  # the answers that then count as unknown
    because: str  # told to the person
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Something a rule may establish: a cause to be named, or a link in the chain of reasons."""

    id: str
    name: str
    kind: str = names("kind", required=True)
    says: str = ""  # short, for chains
    means: str = ""  # one line: what it is
    matters: str = ""  # one line: why it matters
    caveat: str = ""  # what the literature doubts; shown with the conclusion
    sources: tuple[str, ...] = names("source")
    place: Place = field(default=Place(""), compare=False)

    @property
    def short(self) -> str:
        """What a chain calls it."""
        return self.says or self.name[:1].lower() + self.name[1:]


RuleKind = Literal["sign", "mechanism", "against"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """If … unless …, then. A triage rule has a `level`; any other concludes something with a `strength`."""

    id: str  # reads as a sentence: wet-rims-brake-late
    when: Condition = field(metadata={"key": "if"})  # must be known to be true
    unless: Alternatives | None = None  # blocks the rule if known to be true; a list: any one of them
    then: tuple[str, ...] = names("conclusion")  # what it establishes
    level: str = names("level")  # of a triage rule: how urgent
    name: str = ""  # of a triage rule: what it is called in a report
    kind: RuleKind = "sign"  # sign: it shows; mechanism: it brings about; against: it counts against
    strength: str = names("strength")  # how much it adds to the certainty of what it concludes
    because: str  # why, one clause without a full stop
    evidence: str = names("evidence")  # how sure the literature is of it
    caveat: str = ""  # what the literature doubts; shown with what it concludes
    sources: tuple[str, ...] = names("source", required=True)  # the claims and literature it rests on
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One part of a dose, and who gives the number."""

    amount: str  # may hold {finding}
    otherwise: str = key("or", "")  # said where a finding in braces has no value
    source: str = names("source", required=True)  # who gives the number, or: expert default


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Something to do: what it is for, how, how much, when."""

    id: str
    name: str
    treats: tuple[str, ...] = names("conclusion", key="for")  # given where any of these is established
    when: Condition | None = key("if")  # what must hold as well; without for:, the whole indication
    tier: str = names("tier", required=True)
    occasion: str = field(metadata={"key": "when", "names": "occasion"})
    stage: float = 1  # 1: to begin with; 2 and 3: when the simpler ones are easy
    traits: tuple[str, ...] = ()  # by which withholding rules name it
    purpose: str = ""  # what it is for, one clause
    steps: tuple[str, ...] = ()  # how, each a short sentence that says what to do
    dose: tuple[Dose, ...] = ()
    easier: str = ""
    harder: str = ""
    feel: str = ""  # what it should and should not feel like
    stop: str = ""  # when to stop
    evidence: str = names("evidence")  # how sure the literature is that it helps
    caveat: str = ""
    sources: tuple[str, ...] = names("source", required=True)
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """A rule that keeps remedies back, named by id or by trait."""

    id: str
    when: Condition = field(metadata={"key": "if"})
    withholds: tuple[str, ...] = names("remedy or trait", required=True)
    because: str  # told to the person
    sources: tuple[str, ...] = names("source", required=True)
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a disagreement."""

    says: str
    sources: tuple[str, ...] = names("source", required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a disagreement is settled where `when` holds (None: everywhere else)."""

    when: Condition | None = key("if")
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A question on which the sources contradict each other, and how it is settled here."""

    id: str
    question: str
    bears: Condition  # where it concerns a case
    sides: tuple[Side, ...]
    settled: tuple[Settlement, ...]  # the first whose if: holds; the last has none
    safety: bool = False  # its settlement is said even where the plan is restricted
    sources: tuple[str, ...] = names("source")
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A claim of an article, a piece of literature, or the article itself."""

    id: str
    kind: str
    of: str = names("source")  # of a claim: the article it stands in
    title: str = ""
    says: str = ""  # paraphrased, never copied
    cite: str = ""  # authors, year, journal
    address: str = ""  # where it can be read
    dose: str = ""  # the numbers it gives, if it gives any
    grade: str = names("evidence")
    read: str = ""  # found: an abstract or excerpt was seen; recalled: it was not
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """Sources that nothing cites on purpose, and why."""

    omits: tuple[str, ...] = names("source", required=True, key="claims")
    because: str  # why nothing in the knowledge base is built on them
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What must hold of every possible case. It may also test disposition, given, only_given and unsettled."""

    id: str
    says: str  # in words
    when: Condition | None = key("if")  # where this is true …
    then: Condition | None = None  # … this is
    later: Condition | None = None  # … this is, and stays so however the open questions are answered
    rises: tuple[str, ...] = names("finding")  # numbers: a greater one never makes the level milder
    adds: tuple[str, ...] = names("finding")  # choices: nor does any answer in place of the clear one, or one more
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """An expert's signature under one item, bound to the digest of what was reviewed."""

    of: str
    digest: str
    verdict: Literal["agree", "disagree", "comment"]
    by: str
    qualification: str
    on: str
    comment: str = ""
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A flaw that an audit finds and an expert has accepted, and why."""

    check: str  # id of the check, as the report names it
    item: str  # id of the rule, finding, remedy … it is about
    because: str  # why it is right as it is
    place: Place = field(default=Place(""), compare=False)


# The manifest, knowledge.yaml: the scales on which everything else is measured.


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A level of urgency, or (`decided: no`) the verdict that it cannot be decided yet."""

    id: str
    name: str
    says: tuple[str, ...]  # what to tell the person, a paragraph each
    would: str = ""  # what a warning says would follow
    net: str = ""  # what to do if one of the signs begins that would lead to it
    plan: Literal["full", "restricted"] = "full"
    screened: bool = False  # the default level is not given while a rule of this level could still fire
    alone: bool = False  # its message stands alone: nothing else is said or asked
    review_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """The disposition where no triage rule fired: all settled, or open by `unknown` or by unasked answers."""

    settled: str
    unknown: str
    unasked: str
    told: str = ""  # said after the count of safety questions without an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of conclusion. Those with a `heading` are listed as causes, in this order."""

    id: str
    heading: str = ""
    about: str = ""  # said under the heading: how the list is to be read
    unclear: str = ""  # said instead where none is above the weakest word of the certainty scale
    hints: str = ""  # stands before the names of those of the weakest word
    weighed: bool = True  # no: named and never weighed, so that no certainty and no chain is told
    outcome: bool = False  # where every chain of reasons ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A member of a scale."""

    id: str
    name: str
    restricted: bool = False  # of a tier: still given where the plan is restricted
    cap: float = 99  # of an occasion: how many things to start with


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Questions that are asked at once and answered in one line: choices as a list of signs, or numbers."""

    asks: str
    findings: tuple[str, ...] = names("finding", required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """knowledge.yaml: what the knowledge base is, and its scales."""

    title: str
    version: str
    notice: str = ""  # ends every consultation
    cites: str = ""  # what the ids of sources stand for, said where they are shown
    dispositions: tuple[Disposition, ...]  # mildest first; the undecided one last
    otherwise: Otherwise
    strengths: Mapping[str, str]
    certainty: Mapping[str, str]  # word → the least certainty it stands for, strongest first
    evidence: tuple[str, ...]  # strongest first
    kinds: tuple[Kind, ...]
    tiers: tuple[Named, ...]
    occasions: tuple[Named, ...]  # in plan order
    topics: tuple[str, ...] = ()  # of findings, in the order of asking
    interview: tuple[Together, ...] = ()  # what is asked together; safety questions in this order
    review_months: float = 24  # after so many months a signature is due again
    place: Place = field(default=Place(""), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Knowledge:
    """A whole knowledge base, checked. Each mapping goes from id to item, in the order of the ids."""

    manifest: Manifest
    findings: Mapping[str, Finding]
    calculated: Mapping[str, Calculated]
    contradictions: Mapping[str, Contradiction]
    conclusions: Mapping[str, Conclusion]
    rules: Mapping[str, Rule]
    remedies: Mapping[str, Remedy]
    withholdings: Mapping[str, Withholding]
    disagreements: Mapping[str, Disagreement]
    sources: Mapping[str, Source]
    omissions: tuple[Omission, ...]
    reviews: tuple[Review, ...]
    suppressions: tuple[Suppression, ...] = ()

    @property
    def vocabulary(self) -> dict[str, Answerable]:
        """Every finding, asked or calculated, by id."""
        return {**self.findings, **self.calculated}

    @property
    def shelves(self) -> dict[str, Mapping[str, Any]]:
        """Every kind of item that has ids, by its name here."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: items for name, items in parts.items() if isinstance(items, Mapping)}

    @property
    def refusable(self) -> tuple[str, ...]:
        """The findings whose answers a contradiction may refuse."""
        return tuple(dict.fromkeys(name for rule in self.contradictions.values() for name in rule.refuse))

    @property
    def order_of_asking(self) -> dict[str, tuple[int, str]]:
        """Finding → its place among the questions where nothing else decides: by topic, then by id."""
        topics = {topic: number for number, topic in enumerate(self.manifest.topics)}
        return {name: (topics.get(finding.topic, 0), name) for name, finding in self.findings.items()}

    def certainty_word(self, certainty: float) -> str:
        """Return the word for a certainty from 0 to 1."""
        return next(word for word, least in self.manifest.certainty.items() if certainty >= float(least))

    def level(self, disposition: str) -> Disposition:
        """Return the disposition with that id."""
        return next(d for d in self.manifest.dispositions if d.id == disposition)
