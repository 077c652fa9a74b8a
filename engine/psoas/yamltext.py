"""YAML text → its node tree. Every scalar stays the text that was written, and every node knows its place.

Reading nodes instead of values is what keeps `no`, `on`, `08` and `1e3` words until their finding types them,
and gives each later message its line and column for nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Place, Unusable, quoted

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
    """Return the node tree of one YAML document, or None where it is empty.

    `file` is the name used in messages. Raises `Unusable` with every fault found: text that is not UTF-8 or not
    YAML, duplicate keys, keys that are not words, anchors and aliases, tags, more than one document.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise Unusable([Fault(Place(file, line, column), "is not text in UTF-8")]) from error
    try:
        root = yaml.compose(text, Loader=_TextLoader)
    except _Deep as error:
        where = _marked(error.problem_mark, file)
        raise Unusable([Fault(where, f"is nested more than {MAX_DEPTH} levels deep")]) from error
    except yaml.MarkedYAMLError as error:
        where = _marked(error.problem_mark or error.context_mark, file)
        what = "; ".join(part for part in (error.context, error.problem) if part)
        raise Unusable([Fault(where, f"is not well-formed YAML: {what}", _yaml_hint(what))]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = _place_in(text, getattr(error, "position", None), file)
        what = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise Unusable([Fault(where, f"is not well-formed YAML: {quoted(what, 100)}")]) from error
    if root is None:
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
                yield Fault(place_of(node, file), f"has the tag {quoted(node.tag)}", "leave the tag out")
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


def _yaml_hint(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return "a text that contains a colon needs quotes"
    if "found character '\\t'" in problem:
        return "indent with spaces, not tabs"
    return ""


def _neighbours(source: Path | None) -> str:
    from psoas.faults import nearest

    if source is None or not source.parent.is_dir():
        return ""
    close = nearest(source.name, (entry.name for entry in source.parent.iterdir()))
    return f"did you mean {source.parent / close[0]}?" if close else ""
