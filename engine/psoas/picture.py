"""What is to be drawn: a `Consultation`, or the knowledge base itself, → nodes and edges with labels and tooltips.

Nothing here knows a file format, and nothing in `drawing` knows what a rule is. A `Picture` holds everything, for
whoever reads it as data; `gathered` makes of it what a person can take in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from psoas.consultation import Consultation
from psoas.faults import Fault, Place, Unusable, quoted, suggest
from psoas.knowledge.model import Knowledge, Rule
from psoas.readings.phrase import Phrases
from psoas.reasoning import Premise, Reasoning, WhyNot, causal_graph

ITEM = "- "
"""Begins each line of a label that is a list."""


@dataclass(frozen=True, slots=True)
class PictureNode:
    """A node. `role` decides its shape: finding, rule, remedy, level, outcome, state, or cause (with its `tone`)."""

    id: str
    label: str
    role: str
    tooltip: str = ""
    tone: int = 0  # of a cause: which kind of cause, in the order of the manifest
    certainty: float | None = None  # of a cause, where it may be told
    withheld: bool = False
    ghost: bool = False  # it did not come about, or was not answered


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """An edge of one of the kinds in `reasoning.EDGES`."""

    source: str
    target: str
    kind: str
    tooltip: str = ""
    ghost: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes and edges in a fixed order, under a title."""

    title: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    subtitle: str = ""  # of a case: its disposition
    case: str = ""  # the case's id
    headings: tuple[str, ...] = ()  # what causes of each tone are called


def case_picture(consultation: Consultation, *, of: str | None = None, why_not: bool = False) -> Picture:
    """Return the picture of a case: all that led to a cause, the disposition or the outcome, and the remedies.

    Where the disposition stands alone, it is what led to it; while it cannot be decided, the questions it waits for.
    `of` keeps only what leads to one conclusion, remedy, level or rule; `why_not` adds the conclusions that nearly
    came about as ghosts. Raises `Unusable` where `of` names nothing that came about.
    """
    return _CasePicture(consultation).picture(of, why_not)


def causal_picture(knowledge: Knowledge, *, of: str | None = None) -> Picture:
    """Return the knowledge base's own cause-effect graph; `of` keeps what leads to one conclusion."""
    graph = causal_graph(knowledge)
    painter = _Painter(knowledge, graph)
    kept = set(graph.nodes)
    if of is not None:
        node = f"conclusion:{of}"
        if node not in graph:
            raise Unusable([Fault(Place("--of"), f"no conclusion {quoted(of)}", suggest(of, knowledge.conclusions))])
        kept = painter.behind({node})
    return painter.picture(knowledge.manifest.title, kept, "What may lead to what, by the rules")


def gathered(picture: Picture) -> Picture:
    """Return `picture` as a person can take it in: several remedies, open questions or near misses as lists.

    What is given is listed by what it is for, what is held back by what keeps it back (so one remedy may stand in two
    lists), what nearly came about with all that it lacked. Where there is but one of a sort it stays as it is.
    """
    return _gathered_misses(_gathered_remedies(_gathered_questions(picture)))


def _gathered_questions(picture: Picture) -> Picture:
    """List the questions a disposition waits for."""
    waiting = {edge.source: edge for edge in picture.edges if edge.ghost and edge.target.startswith("level:")}
    asked = [node for node in picture.nodes if node.id in waiting and node.role == "finding"]
    if len(asked) < 2:
        return picture
    edges = (replace(waiting[asked[0].id], source=_list_of(asked).id),)
    return _exchanged(picture, asked, [replace(_list_of(asked), ghost=True)], edges)


def _gathered_remedies(picture: Picture) -> Picture:
    """List the remedies by the causes they are for; those held back by the rules that do it."""
    remedies = {node.id: node for node in picture.nodes if node.role == "remedy" and not node.ghost}
    treats: dict[str, list[str]] = {node: [] for node in remedies}
    withheld: dict[str, list[str]] = {node: [] for node in remedies}
    for edge in picture.edges:
        if edge.kind == "treats" and edge.source in remedies:
            treats[edge.source].append(edge.target)
        elif edge.kind == "withholds" and edge.target in remedies:
            withheld[edge.target].append(edge.source)
        else:
            remedies.pop(edge.source, None)  # it is a reason for something else, and must be seen
    if len(remedies) < 2:
        return picture
    notes, edges = [], []
    for named, kind in ((treats, "treats"), (withheld, "withholds")):
        lists: dict[tuple[str, ...], list[str]] = {}  # the remedies of a list → what it is joined to
        for other in sorted({other for node in remedies for other in named[node]}):
            held = kind == "withholds"
            listed = tuple(n for n, item in remedies.items() if other in named[n] and item.withheld == held)
            if listed:
                lists.setdefault(listed, []).append(other)
        for listed, others in lists.items():
            note = _list_of([remedies[node] for node in listed])
            notes.append(note)
            if kind == "treats":
                edges += [PictureEdge(note.id, cause, kind, "this may help") for cause in others]
            else:
                why = {edge.source: edge.tooltip for edge in picture.edges if edge.target in listed}
                edges += [PictureEdge(rule, note.id, kind, why[rule]) for rule in others]
    return _exchanged(picture, remedies.values(), notes, edges)


def _gathered_misses(picture: Picture) -> Picture:
    """Write what a conclusion lacked into it, where more than one nearly came about."""
    rules = {node.id: node for node in picture.nodes if node.role == "rule" and node.ghost}
    heads: dict[str, list[str]] = {}
    ghosts = {node.id: node for node in picture.nodes if node.ghost and node.role != "rule"}
    for edge in picture.edges:
        if edge.source in rules and edge.target in ghosts:
            heads.setdefault(edge.target, []).append(edge.source)
    if len(heads) < 2:
        return picture
    misses = []
    for head, lacking in heads.items():
        first, *others = dict.fromkeys(rules[rule].label for rule in lacking)
        lacks = [first, *(f"and {label.removeprefix('not, ')}" for label in others)]
        tip = "\n".join(rules[rule].tooltip for rule in lacking)
        misses.append(replace(ghosts[head], label="\n".join([ghosts[head].label, *lacks]), tooltip=tip))
    gone = [rules[rule] for lacking in heads.values() for rule in lacking] + [ghosts[head] for head in heads]
    return _exchanged(picture, gone, misses, ())


def _list_of(nodes: list[PictureNode]) -> PictureNode:
    """Return one node that lists `nodes`."""
    if len(nodes) == 1:
        return nodes[0]
    names = [node.label for node in nodes]
    label = "; ".join(names) if nodes[0].withheld else "\n".join(ITEM + name for name in names)
    role, _, first = nodes[0].id.partition(":")
    name = "+".join([first, *(node.id.partition(":")[2] for node in nodes[1:])])
    return replace(nodes[0], id=f"{role}:{name}", label=label, tooltip="\n".join(node.tooltip for node in nodes))


def _exchanged(
    picture: Picture, gone: Iterable[PictureNode], come: Iterable[PictureNode], edges: Iterable[PictureEdge]
) -> Picture:
    """Return `picture` with other nodes in place of some; what loses its last edge by that goes too."""
    left = {node.id for node in gone}
    kept = [edge for edge in picture.edges if edge.source not in left and edge.target not in left]
    edges = (*kept, *edges)
    bereft = _ends(picture.edges) - _ends(edges)
    nodes = [node for node in picture.nodes if node.id not in left | bereft]
    return replace(picture, nodes=(*nodes, *come), edges=edges)


def _ends(edges: Iterable[PictureEdge]) -> set[str]:
    return {end for edge in edges for end in (edge.source, edge.target)}


@dataclass
class _Painter:
    """Turns part of a graph into a picture."""

    knowledge: Knowledge
    graph: Any
    labels: Mapping[str, str] = field(default_factory=dict)  # of the findings, by node
    withheld: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()  # the findings without an answer
    weighs: bool = False  # whether certainties may be told
    ghosts: list[PictureNode] = field(default_factory=list)
    ghost_edges: list[PictureEdge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.phrases = Phrases(self.knowledge)
        self._kinds = {kind.id: kind for kind in self.knowledge.manifest.kinds}
        listed = [kind for kind in self.knowledge.manifest.kinds if kind.heading]
        self.tones = {kind.id: n for n, kind in enumerate(listed)}
        self._headings = tuple(kind.heading for kind in listed)
        self._caused = {c for r in self.knowledge.rules.values() if r.kind == "mechanism" for c in r.then}

    def behind(self, nodes: Iterable[str]) -> set[str]:
        """Return `nodes` and all that leads to them by inference."""
        reached: set[str] = set()
        pending = [node for node in nodes if node in self.graph]
        while pending:
            node = pending.pop()
            if node not in reached:
                reached.add(node)
                pending += [
                    before
                    for before, _, kind in self.graph.in_edges(node, data="kind")
                    if kind not in ("treats", "withholds")
                ]
        return reached

    def picture(self, title: str, kept: set[str], subtitle: str, case: str = "") -> Picture:
        """Return the picture of the nodes in `kept` and the edges between them, ghosts added."""
        nodes = {node: self.node(node) for node in sorted(kept)}
        edges = [
            PictureEdge(a, b, self.seen(a, b, kind), self._edge_tip(a, b, kind))
            for a, b, kind in sorted(self.graph.edges(data="kind"))
            if a in kept and b in kept
        ]
        for ghost in self.ghosts:
            nodes.setdefault(ghost.id, ghost)
        edges += sorted(self.ghost_edges, key=lambda edge: (edge.source, edge.target))
        return Picture(title, tuple(nodes.values()), tuple(dict.fromkeys(edges)), subtitle, case, self._headings)

    def seen(self, source: str, target: str, kind: str) -> str:
        """Return the kind of an edge as it is drawn: an answer, or what only sums up answers, brings nothing about."""
        if kind != "brings about" or not target.startswith("rule:"):
            return kind
        role, _, name = source.partition(":")
        if role == "conclusion":
            of = self._kinds[self.knowledge.conclusions[name].kind]
            if of.heading or of.outcome or name in self._caused:
                return kind
        return "shows"

    def node(self, node: str, *, ghost: bool = False) -> PictureNode:
        """Return the picture of one node of the graph."""
        kind, _, name = node.partition(":")
        if kind == "finding":
            finding = self.knowledge.vocabulary[name]
            question = getattr(finding, "question", finding.name)
            label = self.labels.get(node, finding.name)
            return PictureNode(node, label, "finding", question, ghost=ghost or name in self.open)
        if kind == "rule":
            rule = self.knowledge.rules.get(name) or self.knowledge.withholdings[name]
            tip = f"{name}: {self.phrases.rule(rule)} [{', '.join(rule.sources)}]"
            return PictureNode(node, name, "rule", tip, ghost=ghost)
        if kind == "remedy":
            remedy = self.knowledge.remedies[name]
            tip = f"{remedy.purpose} [{', '.join(remedy.sources)}]"
            return PictureNode(node, remedy.name, "remedy", tip, withheld=name in self.withheld, ghost=ghost)
        if kind == "level":
            return PictureNode(node, self.knowledge.level(name).name, "level", name, ghost=ghost)
        return self._conclusion(node, name, ghost)

    def _conclusion(self, node: str, name: str, ghost: bool) -> PictureNode:
        item = self.knowledge.conclusions[name]
        kind = self._kinds[item.kind]
        role = "outcome" if kind.outcome else "cause" if kind.heading else "state"
        certainty = self.graph.nodes[node].get("certainty") if node in self.graph else None
        label = item.name if role != "state" else item.short
        if role != "cause" or not kind.weighed or not self.weighs:
            certainty = None
        if certainty is not None:
            label += f"\n{certainty:.2f}"
        tip = " ".join(filter(None, [item.means, item.matters, f"[{', '.join(item.sources)}]" if item.sources else ""]))
        tone = self.tones.get(item.kind, 0)
        return PictureNode(node, label, role, tip or name, tone, certainty, ghost=ghost)

    def _edge_tip(self, source: str, target: str, kind: str) -> str:
        rule = next((n.partition(":")[2] for n in (source, target) if n.startswith("rule:")), "")
        if not rule:
            return f"{self.node(source).label} {kind} {self.node(target).label}".replace("\n", " ")
        item = self.knowledge.rules.get(rule) or self.knowledge.withholdings[rule]
        detail = (
            [item.strength, f"evidence: {item.evidence}" if item.evidence else ""] if isinstance(item, Rule) else []
        )
        return f"{kind}: {item.because} ({', '.join(filter(None, [rule, *detail]))})"


class _CasePicture:
    """The picture of one case."""

    def __init__(self, consultation: Consultation) -> None:
        self.it = consultation
        self.reasoning: Reasoning = consultation.reasoning
        graph = self.reasoning.graph
        phrases = self.reasoning.phrases
        self.painter = _Painter(
            consultation.knowledge,
            graph,
            {
                node: phrases.answer(name, consultation.memory[name])
                for node, name in graph.nodes(data="name")
                if node.startswith("finding:")
            },
            frozenset(item.id for item in consultation.withheld),
            frozenset(f for f in consultation.knowledge.vocabulary if consultation.memory.is_open(f)),
            weighs=not consultation.restricted,
        )

    def picture(self, of: str | None, why_not: bool) -> Picture:
        case = self.it.case
        target = self._node_of(of, why_not) if of is not None else None
        if of is None and self.it.level.id == self.it.knowledge.manifest.otherwise.unasked:
            kept: set[str] = set()
            self._add_open_questions()
        else:
            kept = self._leading_to(target) if target else set() if of else self._everything()
            if why_not and (of or not self.it.level.alone):
                self._add_ghosts(kept, of)
        title, name = (case.title, case.id) if case.title else (case.id, "")
        return self.painter.picture(title, kept, self.it.level.name, name)

    def _everything(self) -> set[str]:
        """Return what led somewhere: to a cause, to the disposition, to the outcome; and the remedies to begin with."""
        graph = self.reasoning.graph
        if self.it.level.alone:
            return self._decisive()
        ends = [f"conclusion:{cause.id}" for cause in self.it.causes]
        ends += [f"level:{self.it.level.id}", f"conclusion:{self.reasoning._outcome}"]
        kept = self.painter.behind(ends)
        begun = {f"remedy:{given.id}" for given in self.it.remedies if given.start == "now"}
        kept |= {remedy for remedy in begun if remedy in graph and any(t in kept for t in graph.successors(remedy))}
        if not self.it.restricted:  # a restricted plan holds everything back, for the one reason its title says
            kept |= self._withheld(kept)
        return kept

    def _decisive(self) -> set[str]:
        """Return what led to the disposition, and what the rules that gave it suspect."""
        fired = [self.it.knowledge.rules[rule] for rule in self.it.triage.fired]
        suspected = {f"conclusion:{c}" for rule in fired if rule.level == self.it.level.id for c in rule.then}
        rules = {f"rule:{rule.id}" for rule in fired if rule.level == self.it.level.id}
        return self.painter.behind(rules) | suspected | {f"level:{self.it.level.id}"}

    def _withheld(self, kept: set[str]) -> set[str]:
        """Return the remedies kept back by a rule, these rules, and what speaks for them and is not in `kept`."""
        graph = self.reasoning.graph
        held = {f"remedy:{item.id}" for item in self.it.withheld} & set(graph.nodes)
        rules = {a for a, b, kind in graph.edges(data="kind") if kind == "withholds" and b in held}
        return held | rules | self.painter.behind({p for rule in rules for p in graph.predecessors(rule)} - kept)

    def _leading_to(self, node: str) -> set[str]:
        graph = self.reasoning.graph
        if not node.startswith("remedy:"):
            return self.painter.behind([node])
        treated = [b for _, b, kind in graph.out_edges(node, data="kind") if kind == "treats"]
        rules = [a for a, _, kind in graph.in_edges(node, data="kind") if kind == "withholds"]
        premises = [p for rule in rules for p in graph.predecessors(rule)]
        return {node, *rules} | self.painter.behind([*treated, *premises])

    def _node_of(self, name: str, why_not: bool) -> str | None:
        knowledge = self.it.knowledge
        known = {
            "conclusion": knowledge.conclusions,
            "remedy": knowledge.remedies,
            "level": {d.id for d in knowledge.manifest.dispositions},
            "rule": {**knowledge.rules, **knowledge.withholdings},
        }
        for kind, names in known.items():
            if name in names:
                if f"{kind}:{name}" in self.reasoning.graph:
                    return f"{kind}:{name}"
                if why_not and kind in ("conclusion", "rule"):
                    return None
                hint = "add --why-not to see what it lacked" if kind in ("conclusion", "rule") else ""
                raise Unusable([Fault(Place("--of"), f"{name} did not come about in this case", hint)])
        every = {n for names in known.values() for n in names}
        raise Unusable([Fault(Place("--of"), f"there is nothing called {quoted(name)}", suggest(name, every))])

    # ghosts

    def _add_open_questions(self) -> None:
        """Add the disposition that cannot be decided, and the questions it waits for."""
        painter, level = self.painter, f"level:{self.it.level.id}"
        for finding in self.it.triage.missing:
            item = self.it.knowledge.findings[finding]
            node = PictureNode(f"finding:{finding}", item.name, "finding", item.question, ghost=True)
            painter.ghosts.append(node)
            painter.ghost_edges.append(PictureEdge(node.id, level, "shows", "not answered yet", ghost=True))
        painter.ghosts.append(painter.node(level))

    def _add_ghosts(self, kept: set[str], of: str | None) -> None:
        """Add the rules for `of` that did not fire; without it those that one thing kept from naming one more cause."""
        rules = self.it.knowledge.rules
        named = self.it.knowledge.conclusions
        if of is None:
            missed = {c.id for c in named.values() if c.kind in self.painter.tones} - self.reasoning.established
            whys = [
                why
                for why in self.reasoning.nearly_fired()
                if missed & set(rules[why.rule].then)
                and rules[why.rule].kind != "against"
                and why.missing
                and not why.blocked_by
            ]
        else:
            unfired = [
                rule
                for rule in rules.values()
                if rule.id not in self.reasoning.firings
                and (of == rule.id or (of in (*rule.then, rule.level) and rule.kind != "against"))
            ]
            whys = [self.reasoning.why_not(rule.id) for rule in unfired]
        for why in whys:
            self._ghost(why, rules[why.rule], kept)

    def _ghost(self, why: WhyNot, rule: Rule, kept: set[str]) -> None:
        painter = self.painter
        kind = {"sign": "shows", "mechanism": "brings about", "against": "contradicts"}[rule.kind]
        me = f"rule:{rule.id}"
        lacks = [self._lack(premise) for premise in why.premises if premise.status != "met"]
        label = f"not, because {'; and '.join([*lacks, *why.blocked_by])}"
        painter.ghosts.append(replace(painter.node(me, ghost=True), label=label))
        heads = [f"conclusion:{c}" for c in rule.then] or [f"level:{rule.level}"]
        for head in heads:
            if head not in kept:
                painter.ghosts.append(painter.node(head, ghost=True))
            painter.ghost_edges.append(PictureEdge(me, head, kind, "did not fire", ghost=True))
        for premise in why.premises:
            if premise.status == "met":
                for source in self._grounds(premise.findings, premise.symbols):
                    kept |= painter.behind([source])
                    seen = painter.seen(source, me, kind)
                    painter.ghost_edges.append(PictureEdge(source, me, seen, premise.says, ghost=True))

    def _lack(self, premise: Premise) -> str:
        """Return in words what a rule lacked."""
        return f"it is {'not known' if premise.status == 'open' else 'not so'}: {premise.says}"

    def _grounds(self, findings: tuple[str, ...], symbols: tuple[str, ...]) -> list[str]:
        """Return the nodes behind a met premise, adding to the graph a finding that no fired rule used."""
        graph = self.reasoning.graph
        nodes = [f"conclusion:{s}" for s in symbols if f"conclusion:{s}" in graph]
        answered = [finding for finding in findings if not self.it.memory.is_open(finding)]
        for finding in answered or findings:
            node = f"finding:{finding}"
            if node not in graph:
                graph.add_node(node, kind="finding", name=finding)
            self.painter.labels = {
                **self.painter.labels,
                node: self.reasoning.phrases.answer(finding, self.it.memory[finding]),
            }
            nodes.append(node)
        return nodes
