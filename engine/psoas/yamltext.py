"""YAML text → its node tree. Every scalar stays the text that was written, and every node knows its place.

Reading nodes instead of values is what keeps `no`, `on`, `08` and `1e3` words until their finding types them,
and gives each later message its line and column for nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Place, Unusable, nearest, quoted

Tree: TypeAlias = Node

MAX_BYTES = 4_000_000  # some fifty times the largest file of the knowledge base; a case is a few kilobytes
MAX_DEPTH = 40

_TAGS = {
    ScalarNode: "tag:yaml.org,2002:str",
    SequenceNode: "tag:yaml.org,2002:seq",
    MappingNode: "tag:yaml.org,2002:map",
}


class _TextLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader that guesses no types: a scalar is a text. Guessing would also take a third of the time."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        """Return the tag of a node that has none: its kind."""
        return _TAGS[kind]

    depth = 0

    def descend_resolver(self, node: Node | None, _: Any) -> None:
        """Count the depth: the parser recurses in C, and would crash the process long before Python noticed."""
        self.depth += 1
        if node is not None and self.depth > MAX_DEPTH + 2:
            raise _Deep(problem_mark=node.start_mark)

    def ascend_resolver(self) -> None:
        """Count back."""
        self.depth -= 1


class _Deep(yaml.MarkedYAMLError):
    """A text nests more than `MAX_DEPTH` levels deep."""


def place_of(node: Node, file: str) -> Place:
    """Return where `node` begins in `file`."""
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def read_bytes(source: Path | None) -> bytes:
    """Return the bytes of `source` (None: standard input), at most `MAX_BYTES` of them.

    Raises `Unusable` for a missing, unreadable or over-long input, or one that is not a regular file.
    """
    name = str(source) if source else "<stdin>"
    try:
        if source is None:
            if sys.stdin is None:
                raise Unusable([Fault(Place(name), "there is no standard input")])
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            if source.is_dir():
                raise Unusable([Fault(Place(name), "is a directory", "a file is needed here")])
            with source.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise Unusable([Fault(Place(name), "there is no such file", _neighbours(source))]) from error
    except OSError as error:
        raise Unusable([Fault(Place(name), f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:  # a NUL in the name
        raise Unusable([Fault(Place(quoted(name)), "is no name of a file")]) from error
    if len(data) > MAX_BYTES:
        raise Unusable([Fault(Place(name), f"is larger than {MAX_BYTES // 1_000_000} MB", "is it the right file?")])
    return data


def parse(data: bytes, file: str) -> Tree | None:
    """Return the node tree of one YAML document, or None where nothing is written in it but comments.

    `file` is the name used in messages. Raises `Unusable` with every fault found: text that is not UTF-8 or not
    YAML, duplicate keys, keys that are not words, anchors and aliases, tags, more than one document.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise Unusable([Fault(Place(file, line, column), "is not text in UTF-8", "save the file as UTF-8")]) from error
    try:
        root = yaml.compose(text, Loader=_TextLoader)
    except _Deep as error:
        where = _marked(error.problem_mark, file)
        raise Unusable([Fault(where, f"is nested more than {MAX_DEPTH} levels deep")]) from error
    except yaml.MarkedYAMLError as error:
        raise Unusable([_slip(error, text, file)]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = _place_in(text, getattr(error, "position", None), file)
        what = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise Unusable([Fault(where, f"is not well-formed YAML: {quoted(what, 100)}")]) from error
    if root is None or is_blank(root):
        return None
    faults = list(_not_plain(root, file, marked="*" in text or "!" in text))
    if faults:
        raise Unusable(faults)
    return root


def _not_plain(root: Node, file: str, *, marked: bool) -> Iterator[Fault]:
    """Yield a fault for what YAML allows and a knowledge base does not.

    Only a text that is `marked`, by an asterisk or an exclamation mark somewhere, can hold an alias or a tag; in
    any other the scalars need no look.
    """
    seen: set[int] = set()
    pending: list[tuple[Node, int]] = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        if marked:
            if id(node) in seen:  # an alias hands out its anchor's node again: followed, it makes a YAML bomb explode
                yield Fault(place_of(node, file), "is used twice through an anchor and an alias", "write it out")
                continue
            seen.add(id(node))
            if node.tag != _TAGS[type(node)]:
                hint = "leave it out, or quote a text that begins with !"
                yield Fault(place_of(node, file), f"has the tag {quoted(node.tag)}", hint)
        if depth > MAX_DEPTH:
            yield Fault(place_of(node, file), f"is nested more than {MAX_DEPTH} levels deep")
            continue
        inner = node.value
        if isinstance(node, MappingNode):
            yield from _bad_keys(node, file)
            inner = [part for pair in node.value for part in (pair if marked else pair[1:])]
        elif isinstance(node, ScalarNode):
            continue
        pending += [(part, depth + 1) for part in inner if marked or not isinstance(part, ScalarNode)]


def _bad_keys(node: MappingNode, file: str) -> Iterator[Fault]:
    keys: dict[str, Node] = {}
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            yield Fault(place_of(key, file), "a key must be a word")
        elif keys.setdefault(key.value, key) is not key:
            message = f"the key {quoted(key.value)} stands twice"
            yield Fault(place_of(key, file), message, f"first at {place_of(keys[key.value], file)}")


def is_blank(node: Node) -> bool:
    """Tell whether nothing was written where a value could stand (`key:`, `~` or `null`)."""
    return isinstance(node, ScalarNode) and node.style in (None, "") and node.value in ("", "~", "null", "Null", "NULL")


def _marked(mark: Any, file: str) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _place_in(text: str, position: int | None, file: str) -> Place:
    if position is None:
        return Place(file)
    before = text[:position]
    return Place(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


QUOTE = "put the whole text in quotes"


def _slip(error: yaml.MarkedYAMLError, text: str, file: str) -> Fault:
    """Return what makes `text` no YAML, in words of the file and not of the parser, as far as that can be told."""
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark or mark
    what = "; ".join(part for part in (error.context, error.problem) if part)
    conflict = _CONFLICT.search(text)
    if conflict:
        hint = "keep what holds of the two sides, and take out the lines of <<<<<<<, ======= and >>>>>>>"
        return Fault(_place_in(text, conflict.start(), file), "two versions of the file were left unmerged here", hint)
    if mark is None or opened is None:
        return Fault(Place(file), f"is not well-formed YAML: {what}")
    here = text[mark.index : mark.index + 1]
    if here == "\t" or "found a tab" in what:
        return Fault(_marked(mark, file), "is indented with a tab", "indent with spaces")
    if "quoted scalar" in what and "end of stream" in what:
        return Fault(_marked(opened, file), "this quote is never closed", "close it where the text ends")
    if "flow" in what and "expected ',' or" in what:
        if here == ":" and ":" in _line(text, mark.index):
            return Fault(_marked(mark, file), "a colon stands inside a text", QUOTE)
        hint = "close it, put a comma between its parts, and quotes around a text with a comma, a colon or a bracket"
        return Fault(_marked(opened, file), "this bracket is not closed, or something in it is not separated", hint)
    if "mapping values are not allowed" in what:
        return _colon(_marked(mark, file), _line(text, mark.index))
    if "expected key" in what or "expected <block end>" in what or "expected '-'" in what:
        return _misfit(_marked(mark, file), _line(text, mark.index))
    if "could not find expected ':'" in what:
        return Fault(_marked(opened, file), "is no key: after a key come a colon and a space", "write key: text")
    if _BEGINNINGS.search(what):
        first = text[opened.index : opened.index + 1]
        return Fault(_marked(opened, file), f"a text cannot begin with {quoted(first)}", QUOTE)
    if "unknown escape" in what:
        hint = "put the text in single quotes"
        return Fault(_marked(mark, file), "a backslash in double quotes has a meaning of its own", hint)
    if "another document" in what:
        return Fault(_marked(mark, file), "a second document begins here", "leave out the line ---")
    return Fault(_marked(mark, file), f"is not well-formed YAML: {what}")


_CONFLICT = re.compile("^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
"""What git leaves in a file that two people changed."""

_BEGINNINGS = re.compile(
    "scanning an (alias|anchor)|cannot start any token|scanning a block scalar|(sequence entries|keys) are not allowed"
)
"""What the parser says where a text begins with a character that means something to it."""


def _line(text: str, position: int) -> str:
    """Return what stands before `position` in its line of `text`."""
    return text[text.rfind("\n", 0, position) + 1 : position]


def _colon(where: Place, before: str) -> Fault:
    """Return the fault of a colon at `where`, after `before` in its line, that makes no key."""
    if ":" not in before:
        key = Place(where.file, where.line, len(before) - len(before.lstrip()) + 1)
        return Fault(key, "is indented deeper than the line above allows", "line it up with the other keys")
    return Fault(where, "a colon stands inside a text", f"{QUOTE}; if it is no text but key: value, in braces")


def _misfit(where: Place, before: str) -> Fault:
    """Return the fault of what stands at `where`, after `before` in its line, and is neither key nor item."""
    last = before.rstrip()[-1:]
    if last and last in "'\"":
        hint = "write '' for an apostrophe in single quotes; or a quote in a line above is not closed"
        return Fault(where, "something follows a closing quote", hint)
    if last and last in "]}":
        return Fault(where, "something follows a closing bracket", "put a text that begins with a bracket in quotes")
    hint = "line it up with the keys it belongs to, and begin each item with a dash"
    return Fault(where, "does not line up with the lines above", hint)


def _neighbours(source: Path | None) -> str:
    if source is None:
        return ""
    try:
        files = {entry.stem: entry for entry in sorted(source.parent.iterdir())}
    except OSError:  # nobody may look there
        return ""
    close = nearest(source.stem, files)
    return f"did you mean {files[close[0]]}?" if close else ""


def scalar(text: str) -> str:
    """Return `text` as YAML on one line, to be read back as it is: plain words bare, all else as JSON has it."""
    if re.fullmatch(r"[\w.]([\w. -]*[\w.])?", text) and text.lower() != "null":
        return text
    import json  # only what is written needs it

    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)


def flow(value: object) -> str:
    """Return a text, None (nothing), or a list or mapping of such, as YAML on one line."""
    if isinstance(value, Mapping):
        entries = (f"{scalar(str(key))}: {flow(entry)}" for key, entry in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return "null" if value is None else scalar(str(value))
