"""Digests of items and of a whole knowledge base: what they say, whatever file or order they stand in."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from psoas.knowledge.formulas import Formula
from psoas.knowledge.model import Knowledge

ASIDE = ("place", "suppressions")
"""Fields that say nothing about the subject: where something stands, and what an audit is not to report."""


def digest(item: Any) -> str:
    """Return the SHA-256 of what `item` (any noun of the model) says, as 64 hexadecimal digits."""
    return hashlib.sha256(_canonical(item).encode()).hexdigest()


def knowledge_digest(knowledge: Knowledge) -> str:
    """Return the digest of all the knowledge; signatures under it (the reviews) do not count."""
    return digest(dataclasses.replace(knowledge, reviews=()))


def _canonical(value: Any) -> str:
    if isinstance(value, Formula):
        return value.text
    if dataclasses.is_dataclass(value):
        # what is left out says nothing, so that a new kind of field makes no signature stale
        fields = (f.name for f in dataclasses.fields(value) if f.name not in ASIDE and not _left_out(f, value))
        return f"{type(value).__name__}({','.join(f'{f}={_canonical(getattr(value, f))}' for f in fields)})"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k!r}:{_canonical(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(repr, value))) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_canonical, value)) + ")"
    return repr(value)


def _left_out(field: dataclasses.Field[Any], value: Any) -> bool:
    return field.default is not dataclasses.MISSING and bool(getattr(value, field.name) == field.default)
