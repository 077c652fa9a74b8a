"""What is to be drawn: a `Consultation`, or the knowledge base itself, → nodes and edges with labels and tooltips.

Nothing here knows a file format, and nothing in `drawing` knows what a rule is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psoas.consultation import Consultation
from psoas.faults import Fault, Place, Unusable, quoted, suggest
from psoas.knowledge.model import Knowledge, Rule
from psoas.readings.phrase import Phrases
from psoas.reasoning import Reasoning, WhyNot, causal_graph


@dataclass(frozen=True, slots=True)
class PictureNode:
    """A node. `role` decides its shape: finding, rule, remedy, level, outcome, state, or cause (with its `tone`)."""

    id: str
    label: str
    role: str
    tooltip: str = ""
    tone: int = 0  # of a cause: which kind of cause, in the order of the manifest
    withheld: bool = False
    ghost: bool = False  # it did not come about


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


def case_picture(consultation: Consultation, *, of: str | None = None, why_not: bool = False) -> Picture:
    """Return the picture of a case: all that led to a cause, the disposition or the outcome, and the remedies.

    `of` keeps only what leads to one conclusion, remedy, level or rule; `why_not` adds the rules that nearly fired
    as ghosts. Raises `Unusable` where `of` names nothing that came about.
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
    return painter.picture(knowledge.manifest.title, kept)


@dataclass
class _Painter:
    """Turns part of a graph into a picture."""

    knowledge: Knowledge
    graph: Any
    labels: Mapping[str, str] = field(default_factory=dict)  # of the findings, by node
    withheld: frozenset[str] = frozenset()
    ghosts: list[PictureNode] = field(default_factory=list)
    ghost_edges: list[PictureEdge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.phrases = Phrases(self.knowledge)
        self._kinds = {kind.id: kind for kind in self.knowledge.manifest.kinds}
        self._tones = {kind.id: n for n, kind in enumerate(k for k in self.knowledge.manifest.kinds if k.heading)}

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

    def picture(self, title: str, kept: set[str]) -> Picture:
        """Return the picture of the nodes in `kept` and the edges between them, ghosts added."""
        nodes = {node: self.node(node) for node in sorted(kept)}
        edges = [
            PictureEdge(a, b, kind, self._edge_tip(a, b, kind))
            for a, b, kind in sorted(self.graph.edges(data="kind"))
            if a in kept and b in kept
        ]
        for ghost in self.ghosts:
            nodes.setdefault(ghost.id, ghost)
        edges += sorted(self.ghost_edges, key=lambda edge: (edge.source, edge.target))
        return Picture(title, tuple(nodes.values()), tuple(dict.fromkeys(edges)))

    def node(self, node: str, *, ghost: bool = False) -> PictureNode:
        """Return the picture of one node of the graph."""
        kind, _, name = node.partition(":")
        if kind == "finding":
            finding = self.knowledge.vocabulary[name]
            question = getattr(finding, "question", finding.name)
            return PictureNode(node, self.labels.get(node, finding.name), "finding", question, ghost=ghost)
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
        if role == "cause" and certainty is not None:
            label += f"\n{certainty:.2f}"
        tip = " ".join(filter(None, [item.means, item.matters, f"[{', '.join(item.sources)}]" if item.sources else ""]))
        return PictureNode(node, label, role, tip or name, self._tones.get(item.kind, 0), ghost=ghost)

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
        )

    def picture(self, of: str | None, why_not: bool) -> Picture:
        case = self.it.case
        title = f"{case.id}: {case.title}" if case.title else case.id
        target = self._node_of(of, why_not) if of is not None else None
        kept = self._leading_to(target) if target else set() if of else self._everything()
        if why_not:
            self._add_ghosts(kept, of)
        return self.painter.picture(title, kept)

    def _everything(self) -> set[str]:
        """Return what led somewhere: to a cause, to the disposition, to the outcome; and the remedies to begin with."""
        graph = self.reasoning.graph
        ends = [f"conclusion:{cause.id}" for cause in self.it.causes]
        ends += [f"level:{self.it.level.id}", f"conclusion:{self.reasoning._outcome}"]
        kept = self.painter.behind(ends)
        begun = {f"remedy:{given.id}" for given in self.it.remedies if given.start == "now"}
        kept |= {remedy for remedy in begun if remedy in graph and any(t in kept for t in graph.successors(remedy))}
        if not self.it.restricted:  # a restricted plan holds everything back, for the one reason its title says
            kept |= self._withheld(kept)
        return kept

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

    def _add_ghosts(self, kept: set[str], of: str | None) -> None:
        """Add the rules that nearly fired for a cause (or for `of`), with what they had and what they lacked."""
        rules = self.it.knowledge.rules
        causes = {c.id for c in self.it.knowledge.conclusions.values() if c.kind in self.painter._tones}
        if of is None:
            whys = [why for why in self.reasoning.nearly_fired() if causes & set(rules[why.rule].then)]
        else:
            missed = [
                r for r in rules.values() if r.id not in self.reasoning.firings and of in (*r.then, r.level, r.id)
            ]
            whys = [self.reasoning.why_not(rule.id) for rule in missed]
        for why in whys:
            self._ghost(why, rules[why.rule], kept)

    def _ghost(self, why: WhyNot, rule: Rule, kept: set[str]) -> None:
        painter = self.painter
        kind = {"sign": "shows", "mechanism": "brings about", "against": "contradicts"}[rule.kind]
        me = f"rule:{rule.id}"
        painter.ghosts.append(painter.node(me, ghost=True))
        heads = [f"conclusion:{c}" for c in rule.then] or [f"level:{rule.level}"]
        for head in heads:
            if head not in kept:
                painter.ghosts.append(painter.node(head, ghost=True))
            painter.ghost_edges.append(PictureEdge(me, head, kind, "did not fire", ghost=True))
        for number, premise in enumerate(why.premises):
            if premise.status == "met":
                for source in self._grounds(premise.findings, premise.symbols):
                    kept |= painter.behind([source])
                    painter.ghost_edges.append(PictureEdge(source, me, kind, premise.says, ghost=True))
            else:
                lack = f"lack:{rule.id}:{number}"
                word = "not known" if premise.status == "open" else "not so"
                painter.ghosts.append(PictureNode(lack, f"{word}: {premise.says}", "finding", premise.says, ghost=True))
                painter.ghost_edges.append(PictureEdge(lack, me, kind, word, ghost=True))
        for number, text in enumerate(why.blocked_by):
            block = f"block:{rule.id}:{number}"
            painter.ghosts.append(PictureNode(block, f"blocked by: {text}", "finding", text, ghost=True))
            painter.ghost_edges.append(PictureEdge(block, me, "contradicts", "blocks it", ghost=True))

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
