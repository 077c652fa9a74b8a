"""What the tests share: the shipped knowledge base, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from psoas.consultation import Consultant
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "kb" / "cases"


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The shipped knowledge base."""
    return load(ROOT / "kb")


@pytest.fixture(scope="session")
def consultant(knowledge: Knowledge) -> Consultant:
    """A consultant on the shipped knowledge base. Its engine is not for several threads."""
    return Consultant(knowledge)
