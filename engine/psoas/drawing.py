"""A `Picture` → SVG, PNG, PDF, DOT, Mermaid, GraphML or node-link JSON. Every format holds the same nodes and edges.

Graphviz is taken from the machine where it is installed, and from the wheel `graphviz-pure` where it is not. The
colours are those of Okabe and Ito (2008), told apart by people with any common colour blindness; shape, line and
arrowhead say the same without colour.
"""

from __future__ import annotations

import json
import shutil
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psoas.faults import Fault, Place, Unusable
from psoas.picture import Picture, PictureEdge, PictureNode

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "Arial"
BLACK, BLUE, GREEN, VERMILLION, PURPLE, GREY = (
    "#1a1a1a",
    "#0072B2",
    "#007A5A",
    "#C24E00",
    "#9C4F84",
    "#8a8a8a",
)

EDGE_STYLE: dict[str, dict[str, str]] = {
    "shows": {"color": BLACK, "arrowhead": "vee", "penwidth": "1"},
    "brings about": {"color": BLUE, "arrowhead": "normal", "penwidth": "2.4"},
    "contradicts": {"color": VERMILLION, "arrowhead": "tee", "style": "dashed", "penwidth": "1.6"},
    "treats": {"color": GREEN, "arrowhead": "odot", "style": "dotted", "penwidth": "1.8"},
    "withholds": {"color": PURPLE, "arrowhead": "box", "style": "dashed", "penwidth": "1.6"},
}
NODE_STYLE: dict[str, dict[str, str]] = {
    "finding": {"shape": "box", "style": "filled", "fillcolor": "#f4f4f4", "color": "#666666"},
    "rule": {
        "shape": "circle",
        "style": "filled",
        "fillcolor": BLACK,
        "width": "0.1",
        "height": "0.1",
        "fixedsize": "true",
        "label": "",
    },
    "state": {"shape": "box", "style": "rounded,filled", "fillcolor": "white", "color": BLUE},
    "outcome": {"shape": "doubleoctagon", "style": "filled", "fillcolor": "#fbe3d6", "color": VERMILLION},
    "level": {"shape": "house", "style": "filled", "fillcolor": "#fbe3d6", "color": VERMILLION},
    "remedy": {"shape": "note", "style": "filled", "fillcolor": "#e2f3ec", "color": GREEN},
}
CAUSE_STYLE: tuple[dict[str, str], ...] = (
    {"shape": "octagon", "style": "filled,bold", "fillcolor": "#fff3c4", "color": BLACK},
    {"shape": "box", "style": "rounded,filled,bold", "fillcolor": "#d5eaf6", "color": BLUE},
    {"shape": "box", "style": "rounded,filled", "fillcolor": "#eeeeee", "color": GREY},
)
LEGEND = (
    ("finding", "", "what was reported"),
    ("rule", "", "a rule"),
    ("cause", "shows", "is shown by it"),
    ("state", "brings about", "is brought about by it"),
    ("cause", "contradicts", "is contradicted by it"),
    ("remedy", "treats", "treats it"),
    ("remedy", "withholds", "is held back by it"),
)
WRAP = 26


def render(picture: Picture, form: str) -> str | bytes:
    """Return `picture` in the format `form`: text for gv, dot, mmd, graphml, json and svg; bytes for png and pdf.

    Raises `Unusable` where the machine lacks the means for a PDF.
    """
    if form in ("gv", "dot"):
        return str(to_dot(picture).source)
    if form in ("svg", "png", "pdf"):
        return _drawn(picture, form)
    return {"mmd": to_mermaid, "graphml": to_graphml, "json": to_json}[form](picture)


# DOT, and what Graphviz makes of it


def to_dot(picture: Picture) -> Digraph:
    """Return `picture` as a graphviz `Digraph`: reports on the left, the outcome and the remedies on the right."""
    import graphviz

    dot = graphviz.Digraph(
        "reasoning",
        graph_attr={
            "rankdir": "LR",
            "fontname": FONT,
            "fontsize": "18",
            "label": _escaped(_wrapped(picture.title, 90)),
            "labelloc": "t",
            "tooltip": _escaped(picture.title),
            "nodesep": "0.14",
            "ranksep": "0.42",
            "bgcolor": "white",
        },
        node_attr={"fontname": FONT, "fontsize": "11", "margin": "0.1,0.06", "height": "0.3"},
        edge_attr={"fontname": FONT, "fontsize": "9", "arrowsize": "0.8"},
    )
    for role, rank in (("finding", "min"), ("remedy", "max")):
        with dot.subgraph(graph_attr={"rank": rank}) as layer:
            for node in picture.nodes:
                if node.role == role and not node.ghost:
                    _add_node(layer, node)
    for node in picture.nodes:
        if node.role not in ("finding", "remedy") or node.ghost:
            _add_node(dot, node)
    for edge in picture.edges:
        _add_edge(dot, edge)
    _add_legend(dot, picture)
    return dot


def _add_node(dot: Digraph, node: PictureNode) -> None:
    style = dict(CAUSE_STYLE[min(node.tone, len(CAUSE_STYLE) - 1)] if node.role == "cause" else NODE_STYLE[node.role])
    label = style.pop("label", None)
    if node.withheld:
        style |= {"style": "dashed,filled", "fillcolor": "white", "color": PURPLE, "fontcolor": "#555555"}
    if node.ghost:
        style |= {"style": style["style"].replace("filled", "dashed"), "color": GREY, "fontcolor": "#666666"}
    if label is None:
        label = _wrapped(("held back: " if node.withheld else "") + node.label)
    dot.node(_quoted(node.id), _escaped(label), tooltip=_escaped(node.tooltip or node.label), **style)


def _add_edge(dot: Digraph, edge: PictureEdge) -> None:
    style = dict(EDGE_STYLE[edge.kind])
    if edge.ghost:
        style |= {"color": "#777777", "style": "dotted", "penwidth": "1.3"}
    source, target = edge.source, edge.target
    if edge.kind == "treats":  # drawn from the cause, so that remedies stand to its right; the arrow is the remedy's
        source, target = target, source
        style |= {"dir": "back", "arrowtail": style.pop("arrowhead")}
    if edge.target.startswith("rule:"):
        style["arrowhead"] = "none"
    dot.edge(_quoted(source), _quoted(target), tooltip=_escaped(edge.tooltip), **{"class": edge.kind}, **style)


def _add_legend(dot: Digraph, picture: Picture) -> None:
    used = {edge.kind for edge in picture.edges} | {node.role for node in picture.nodes}
    with dot.subgraph(
        name="cluster_legend", graph_attr={"label": "How to read it", "color": GREY, "fontsize": "11"}
    ) as box:
        for number, (role, kind, text) in enumerate(LEGEND):
            if (kind or role) not in used:
                continue
            style = dict(CAUSE_STYLE[1] if role == "cause" else NODE_STYLE[role])
            if kind == "withholds":
                style |= {"style": "dashed,filled", "fillcolor": "white", "color": PURPLE}
            name = f"legend:{number}"
            if role == "rule":
                style = {"shape": "plaintext"}
            box.node(_quoted(name), text, fontsize="9", **style)
            if role != "finding":
                start = f"legend:start{number}"
                box.node(_quoted(start), "", **{k: v for k, v in NODE_STYLE["rule"].items() if k != "label"})
                style = dict(EDGE_STYLE.get(kind, {"style": "invis"}))
                if kind == "treats":
                    style |= {"dir": "back", "arrowtail": style.pop("arrowhead")}
                box.edge(_quoted(start), _quoted(name), **style)


def _quoted(node: str) -> str:
    """Return a node's name for the graphviz package, which reads a colon as a port."""
    return node.replace(":", "/").replace("\\", "/")


def _escaped(text: str) -> str:
    import graphviz

    return graphviz.escape(_printable(text)).replace("\n", "\\n") if text else ""


def _printable(text: str) -> str:
    """Return `text` without what no XML may hold and no picture can show."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _wrapped(text: str, width: int = WRAP) -> str:
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width) or [""])


def _drawn(picture: Picture, form: str) -> str | bytes:
    system = shutil.which("dot")
    if form == "pdf" and not system:
        return _pdf_from_svg(_piped(picture, "svg", _own_dot()))
    data = _piped(picture, form, system or _own_dot())
    return data.decode() if form == "svg" else data


def _piped(picture: Picture, form: str, program: str | Path) -> bytes:
    import graphviz
    from graphviz.backend import dot_command

    dot_command.DOT_BINARY = Path(program)
    try:
        drawn: bytes = to_dot(picture).pipe(format=form)
    except (graphviz.CalledProcessError, graphviz.ExecutableNotFound) as error:
        said = getattr(error, "stderr", b"") or str(error)
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise Unusable([Fault(Place(str(program)), f"could not draw the graph: {text.strip()[:300]}")]) from error
    return drawn


def _own_dot() -> str:
    """Return the Graphviz that came with this package."""
    beside = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("graphviz-pure")
    if not found:
        hint = "install Graphviz, or the Python package graphviz-pure; gv, mmd, graphml and json need neither"
        raise Unusable([Fault(Place("graph"), "there is nothing to draw with", hint)])
    return found


def _pdf_from_svg(svg: bytes) -> bytes:
    import io

    try:
        from reportlab import rl_config
        from reportlab.graphics import renderPDF
        from svglib.svglib import svg2rlg
    except ImportError as error:
        hint = "install Graphviz (it brings dot), or pip install 'psoas[pdf]'; SVG and PNG work without"
        raise Unusable([Fault(Place("graph"), "a PDF needs more than is installed here", hint)]) from error
    rl_config.invariant = 1  # no date in it: the same picture is the same bytes
    drawing = svg2rlg(io.BytesIO(svg))
    return bytes(renderPDF.drawToString(drawing))


# Mermaid

_MERMAID_SHAPE = {
    "finding": '["{}"]',
    "rule": '(("{}"))',
    "state": '("{}")',
    "cause": '(["{}"])',
    "outcome": '{{{{"{}"}}}}',
    "level": '>"{}"]',
    "remedy": '[/"{}"/]',
}
_MERMAID_EDGE = {
    "shows": "-->|shows|",
    "brings about": "==>|brings about|",
    "contradicts": "-.-x|contradicts|",
    "treats": "-.->|treats|",
    "withholds": "--x|withholds|",
}


def to_mermaid(picture: Picture) -> str:
    """Return `picture` as a Mermaid flowchart; nodes are named n0, n1, … with the id in a comment before each."""
    names = {node.id: f"n{number}" for number, node in enumerate(picture.nodes)}
    lines = ["flowchart LR"]
    for node in picture.nodes:
        label = _mermaid_text(("held back: " if node.withheld else "") + node.label)
        lines += [
            f"  %% {names[node.id]} = {_printable(node.id)}",
            f"  {names[node.id]}{_MERMAID_SHAPE[node.role].format(label)}",
        ]
    lines += [f"  {names[e.source]} {_MERMAID_EDGE[e.kind]} {names[e.target]}" for e in picture.edges]
    ghosts = [names[node.id] for node in picture.nodes if node.ghost]
    if ghosts:
        lines += ["  classDef ghost stroke-dasharray: 4 3,color:#666", f"  class {','.join(ghosts)} ghost"]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    escapes = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "\n": "<br/>", "&": "#amp;", "`": "#96;"}
    return "".join(escapes.get(c, c) for c in _printable(text))


# GraphML and JSON


def _graph(picture: Picture) -> Any:
    import networkx as nx

    graph = nx.DiGraph(title=_printable(picture.title))
    for node in picture.nodes:
        graph.add_node(
            node.id,
            label=_printable(node.label.replace("\n", " ")),
            role=node.role,
            tooltip=_printable(node.tooltip),
            withheld=node.withheld,
            ghost=node.ghost,
        )
    for edge in picture.edges:
        graph.add_edge(edge.source, edge.target, kind=edge.kind, tooltip=_printable(edge.tooltip), ghost=edge.ghost)
    return graph


def to_graphml(picture: Picture) -> str:
    """Return `picture` as GraphML, readable by networkx, yEd, Gephi and others."""
    import networkx as nx

    lines: Iterator[str] = nx.generate_graphml(_graph(picture))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + "\n".join(lines) + "\n"


def to_json(picture: Picture) -> str:
    """Return `picture` as node-link JSON (`nodes`, `links`), the format networkx and D3 share."""
    import networkx as nx

    data = nx.node_link_data(_graph(picture), edges="links")
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
