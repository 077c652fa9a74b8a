"""A `Picture` → SVG, PNG, PDF, DOT, Mermaid, GraphML or node-link JSON.

GraphML and JSON hold every node and edge. What is drawn for the eye holds the `gathered` ones: long lists as one note.

Graphviz is taken from the machine where it is installed, and from the wheel `graphviz-pure` where it is not. The
colours are those of Okabe and Ito (2008), told apart by people with any common colour blindness; shape, line and
arrowhead say the same without colour.
"""

from __future__ import annotations

import html
import json
import shutil
import sysconfig
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psoas import __version__
from psoas.faults import Fault, Place, Unusable
from psoas.picture import ITEM, Picture, PictureEdge, PictureNode, gathered

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "Arial"
AUTHOR = f"psoas {__version__}"
BLACK, BLUE, GREEN, VERMILLION, PURPLE, GREY = (
    "#1a1a1a",
    "#0072B2",
    "#007A5A",
    "#C24E00",
    "#9C4F84",
    "#8a8a8a",
)

POINTS_PER_LETTER = 0.46
"""How wide a letter of `FONT` is on average, for each point of its size."""

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
EDGE_SAYS = {
    "shows": "suggests",
    "brings about": "may lead to",
    "contradicts": "speaks against",
    "treats": "this may help",
    "withholds": "reason to leave it out",
}
NUMBER = "0.84"
WRAP, HELD, WIDE, TITLE = 26, 44, 62, 90
"""Letters a line: of a box, of a list of what is held back, of a conclusion with what it lacked, of the title."""
MISSES_A_ROW = 3
STRAIGHT = "100"
PNG_DPI = "144"


def render(picture: Picture, form: str) -> str | bytes:
    """Return `picture` in the format `form`: text for gv, dot, mmd, graphml, json and svg; bytes for png and pdf.

    Raises `Unusable` where the machine lacks the means for a PDF.
    """
    if form in ("graphml", "json"):
        return {"graphml": to_graphml, "json": to_json}[form](picture)
    picture = gathered(picture)
    if form in ("gv", "dot"):
        return str(to_dot(picture).source)
    return to_mermaid(picture) if form == "mmd" else _drawn(picture, form)


# DOT, and what Graphviz makes of it


def to_dot(picture: Picture) -> Digraph:
    """Return `picture` as a graphviz `Digraph`: reports on the left, the outcome on the right, the legend below.

    Parts that are not joined are laid out one by one and put below each other, or one would set the columns of all.
    """
    import graphviz

    dot = graphviz.Digraph(
        "reasoning",
        graph_attr={
            "rankdir": "LR",
            "fontname": FONT,
            "label": _heading(picture),
            "labelloc": "t",
            "tooltip": _escaped(picture.title),
            "nodesep": "0.14",
            "ranksep": "0.3",
            "pack": "16",
            "packmode": "array_ic1",
            "bgcolor": "white",
        },
        node_attr={"fontname": FONT, "fontsize": "11", "margin": "0.1,0.06", "height": "0.3"},
        edge_attr={"fontname": FONT, "fontsize": "9", "arrowsize": "0.8"},
    )
    joined = {end for edge in picture.edges for end in (edge.source, edge.target)}
    for node in _in_parts(picture):
        if node.id in joined:
            _add_node(dot, node)
    with dot.subgraph(graph_attr={"rank": "min"}) as first:
        for node in picture.nodes:
            if node.role == "finding" and node.id in joined:
                first.node(_quoted(node.id))
    for edge in picture.edges:
        _add_edge(dot, edge)
    _add_legend(dot, picture)
    _add_misses(dot, [node for node in picture.nodes if node.id not in joined])
    return dot


def _heading(picture: Picture) -> str:
    """Return the label above the picture: its title, in smaller letters what it comes to and the case's id."""
    sizes = ((picture.title, 18, BLACK), (picture.subtitle, 13, BLACK), (picture.case, 9, "#666666"))
    rows = [
        f'<tr><td><font point-size="{size}" color="{color}">{_html(line)}</font></td></tr>'
        for text, size, color in sizes
        for line in _wrapped(_printable(text), TITLE).split("\n")
        if line.strip()
    ]
    return f'<<table border="0" cellspacing="0" cellpadding="0">{"".join(rows)}</table>>' if rows else ""


def _html(text: str) -> str:
    """Return `text` for a label of HTML, in which Graphviz still reads a letter after a backslash as its own."""
    return html.escape(text, quote=False).replace("\\", "<font>\\</font>")


def _in_parts(picture: Picture) -> list[PictureNode]:
    """Return the nodes part by part, as Graphviz puts them: the first lowest. The one that decides comes to the top."""
    part = {node.id: number for number, node in enumerate(picture.nodes)}
    for edge in picture.edges:
        one, other = sorted((part[edge.source], part[edge.target]))
        part = {node: one if number == other else number for node, number in part.items()}
    size: dict[int, tuple[bool, int]] = {}
    for node in picture.nodes:
        decides, count = size.get(part[node.id], (False, 0))
        size[part[node.id]] = (decides or node.role == "level", count + 1)
    ranks = {number: (*place, -number) for number, place in size.items()}
    return sorted(picture.nodes, key=lambda node: ranks[part[node.id]])


def _add_node(dot: Digraph, node: PictureNode, *, wide: bool = False) -> None:
    style = dict(CAUSE_STYLE[min(node.tone, len(CAUSE_STYLE) - 1)] if node.role == "cause" else NODE_STYLE[node.role])
    label, left = style.pop("label", None), False
    if node.withheld:
        style |= {"style": "dashed,filled", "fillcolor": "white", "color": PURPLE, "fontcolor": "#555555"}
    if node.ghost:
        if label is not None and node.label.startswith("not,"):
            style, label = {"shape": "box", "style": "filled"}, None
        style |= {"style": style["style"].replace("filled", "dashed"), "color": GREY, "fontcolor": "#555555"}
    if label is None:
        many = node.withheld and len(node.label) > HELD
        label = _wrapped(_held_back(node), WIDE if wide else HELD if many else WRAP)
        left = wide or many or node.label.startswith(ITEM)
    if wide:
        style |= {"shape": "box", "width": _inches(WIDE, 11)}
    text = _escaped(label, left=left)
    dot.node(_quoted(node.id), text, tooltip=_escaped(node.tooltip or node.label), **style)


def _held_back(node: PictureNode) -> str:
    return f"held back: {node.label}" if node.withheld else node.label


def _add_edge(dot: Digraph, edge: PictureEdge) -> None:
    style = dict(EDGE_STYLE[edge.kind])
    if edge.ghost:
        style |= {"color": "#777777", "style": "dotted", "penwidth": "1.3"}
    source, target = edge.source, edge.target
    if edge.kind == "treats":  # drawn from the cause, so that remedies stand to its right; the arrow is the remedy's
        source, target = target, source
        style |= {"dir": "back", "arrowtail": style.pop("arrowhead"), "minlen": "2"}
    if edge.target.startswith("rule:"):
        style["arrowhead"] = "none"
    dot.edge(_quoted(source), _quoted(target), tooltip=_escaped(edge.tooltip), **{"class": edge.kind}, **style)


def _add_misses(dot: Digraph, nodes: list[PictureNode]) -> None:
    """Add what nearly came about, in rows below the picture; each says for itself what it lacked."""
    if not nodes:
        return
    with dot.subgraph(name="cluster_misses", graph_attr=_frame("What nearly came about")) as box:
        for node in nodes:
            _add_node(box, node, wide=True)
        rows = [nodes[start : start + MISSES_A_ROW] for start in range(0, len(nodes), MISSES_A_ROW)]
        _as_table(box, [[_quoted(node.id) for node in row] for row in rows])


def _frame(label: str) -> dict[str, str]:
    return {"label": label, "labeljust": "l", "color": GREY, "fontsize": "11"}


def _inches(letters: int, size: int) -> str:
    """Return the width of a box that holds as many letters."""
    return f"{letters * size * POINTS_PER_LETTER / 72 + 0.2:.2f}"


def _as_table(dot: Digraph, rows: list[list[str]]) -> None:
    """Put nodes into rows and columns, by edges that are not seen."""
    for row in rows:
        for one, other in pairwise(row):
            dot.edge(one, other, style="invis", weight=STRAIGHT)
    for column in range(max(map(len, rows))):
        names = [row[column] for row in rows if column < len(row)][::-1]  # what stands first is drawn lowest
        with dot.subgraph(graph_attr={"rank": "same"}) as same:
            for one, other in pairwise(names):
                same.edge(one, other, style="invis")


def _add_legend(dot: Digraph, picture: Picture) -> None:
    """Add what each sign means, for the signs in this picture: the sign, and the words that it stands for."""
    signs = _signs(picture)
    if not signs:
        return
    words = {"width": _inches(max(len(says) for _, _, says in signs), 9), "height": "0.2", "margin": "0.05,0"}
    with dot.subgraph(name="cluster_legend", graph_attr=_frame("How to read it")) as box:
        for number, (sign, line, says) in enumerate(signs):
            box.node(f"legend/sign{number}", fontsize="9", **{"label": "", "height": "0.2", **sign})
            box.node(f"legend/says{number}", _escaped(says, left=True), fontsize="9", shape="plaintext", **words)
            box.edge(f"legend/sign{number}", f"legend/says{number}", weight=STRAIGHT, headport="w", **line)
        half = -(-len(signs) // 2)
        rows = [[n for n in (row, row + half) if n < len(signs)] for row in range(half)]
        _as_table(box, [[f"legend/{part}{n}" for n in row for part in ("sign", "says")] for row in rows])


def _signs(picture: Picture) -> list[tuple[dict[str, str], dict[str, str], str]]:
    """Return the lines of the legend: the style of the sign, of the line it begins, and the words."""
    roles = {node.role for node in picture.nodes if not node.ghost}
    kinds = {edge.kind for edge in picture.edges if not edge.ghost}
    none = {"style": "invis"}
    small = {"width": "0.5", "margin": "0.03"}
    signs = []
    if "finding" in roles:
        signs.append((NODE_STYLE["finding"] | small, none, "what you answered"))
    if "rule" in roles:
        signs.append((NODE_STYLE["rule"], none, "a rule: it takes together what runs into it"))
    for kind, says in EDGE_SAYS.items():
        if kind in kinds:
            line = dict(EDGE_STYLE[kind])
            if kind == "treats":
                line |= {"dir": "back", "arrowtail": line.pop("arrowhead")}
            signs.append((NODE_STYLE["rule"], line, says))
    for tone, heading in enumerate(picture.headings):
        if any(node.role == "cause" and node.tone == tone and not node.ghost for node in picture.nodes):
            cause = CAUSE_STYLE[min(tone, len(CAUSE_STYLE) - 1)]
            signs.append((cause | small, none, heading[:1].lower() + heading[1:]))
    certainties = sorted({node.certainty for node in picture.nodes if node.certainty is not None})
    if certainties:
        number = {"label": f"{certainties[-1]:.2f}", "shape": "plaintext", "margin": "0"}
        signs.append((number, none, "how well the answers fit, from 0 to 1"))
    ghosts = {node.role == "finding" for node in picture.nodes if node.ghost}
    for asked, style, says in (
        (True, "dashed", "not answered, or not known"),
        (False, "rounded,dashed", "did not come about"),
    ):
        if asked in ghosts:
            signs.append((NODE_STYLE["finding"] | small | {"style": style, "color": GREY}, none, says))
    return signs


def _quoted(node: str) -> str:
    """Return a node's name for the graphviz package, which reads a colon as a port."""
    return node.replace(":", "/").replace("\\", "/")


def _escaped(text: str, *, left: bool = False) -> str:
    """Return `text` for a label, its lines in the middle or to the left."""
    import graphviz

    if not text:
        return ""
    end = "\\l" if left else "\\n"
    return str(graphviz.escape(_printable(text))).replace("\n", end) + (end if left else "")


def _printable(text: str) -> str:
    """Return `text` without what no XML may hold and no picture can show."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _wrapped(text: str, width: int = WRAP) -> str:
    """Return `text` in lines of at most `width` letters: as few as will do, and these about equally long."""
    return "\n".join(line for part in text.split("\n") for line in _lines(part, width))


def _lines(text: str, width: int) -> list[str]:
    if text.startswith(ITEM):
        return textwrap.wrap(text, width + 8, subsequent_indent="  ")
    lines = textwrap.wrap(text, width) or [""]
    if width == WIDE:
        return lines
    narrower = next((w for w in range(width // 2, width) if len(textwrap.wrap(text, w)) == len(lines)), width)
    return textwrap.wrap(text, narrower) or [""]


def _drawn(picture: Picture, form: str) -> str | bytes:
    system = shutil.which("dot")
    if form == "pdf":
        return _pdf(picture, system)
    dot = to_dot(picture)
    if form == "png":
        dot.attr(dpi=PNG_DPI)
    data = _piped(dot, form, system or _own_dot())
    return data.decode() if form == "svg" else data


def draw_table(table: str, form: str) -> str | bytes:
    """Return a table in Graphviz's HTML as SVG (text) or PNG (bytes)."""
    import graphviz

    dot = graphviz.Digraph("table", node_attr={"shape": "plain", "fontname": FONT, "fontsize": "12"})
    if form == "png":
        dot.attr(dpi=PNG_DPI)
    dot.node("table", table)
    data = _piped(dot, form, shutil.which("dot") or _own_dot())
    return data.decode() if form == "svg" else data


def _piped(dot: Digraph, form: str, program: str | Path) -> bytes:
    import graphviz
    from graphviz.backend import dot_command

    dot_command.DOT_BINARY = Path(program)
    try:
        drawn: bytes = dot.pipe(format=form, quiet=True)  # it warns of widths it has to guess
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


def _pdf(picture: Picture, system: str | None) -> bytes:
    """Return a PDF, made from our own SVG so that it is the same on every machine; else by the machine's Graphviz."""
    import io

    try:
        from reportlab import rl_config
        from reportlab.graphics import renderPDF
        from reportlab.pdfgen.canvas import Canvas
        from svglib.svglib import svg2rlg
    except ImportError as error:
        if system:
            return _piped(to_dot(picture), "pdf", system)
        hint = "install Graphviz (it brings dot), or pip install 'psoas[pdf]'; SVG and PNG work without"
        raise Unusable([Fault(Place("graph"), "a PDF needs more than is installed here", hint)]) from error
    rl_config.invariant = 1  # no date in it: the same picture is the same bytes
    # every PDF reader has Helvetica, with the widths the boxes were made for; what stands in for Arial is wider
    svg = _piped(to_dot(picture), "svg", _own_dot()).replace(f'"{FONT}"'.encode(), b'"Helvetica"')
    drawing: Any = svg2rlg(io.BytesIO(svg))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(drawing.width, drawing.height), invariant=1)
    canvas.setTitle(_printable(": ".join(filter(None, (picture.title, picture.subtitle)))))
    canvas.setAuthor(AUTHOR)
    canvas.setCreator(AUTHOR)
    canvas.setSubject("")
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.save()
    return file.getvalue()


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
    title = ": ".join(filter(None, (picture.title, picture.subtitle)))
    lines = ["---", f"title: {json.dumps(_printable(title.replace(chr(10), ' ')))}", "---", "flowchart LR"]
    for node in picture.nodes:
        label = _mermaid_text(_held_back(node))
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

    told = {"title": picture.title, "subtitle": picture.subtitle, "case": picture.case}
    graph = nx.DiGraph(**{name: _printable(text) for name, text in told.items()})
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
