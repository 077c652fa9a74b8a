"""Checks of the signatures: those that a change has outdated, and those that say no."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from psoas.audit.material import Material
from psoas.audit.report import Flaw
from psoas.audit.status import signature_flaws, status


def stale_signature(material: Material) -> Iterator[Flaw]:
    """Yield the signatures under a text that has changed since."""
    return _of(material, "stale-signature")


def disputed_signature(material: Material) -> Iterator[Flaw]:
    """Yield the signatures that disagree with the text as it stands."""
    return _of(material, "disputed-signature")


def _of(material: Material, check: str) -> Iterator[Flaw]:
    # what is overdue depends on the day, and is for `audit status`
    return (flaw for flaw in signature_flaws(status(material.knowledge, date.min)) if flaw.check == check)
