"""The same case and the same knowledge give the same bytes, in every process and whatever the order of things."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import yaml

from conftest import CASES, ROOT
from psoas.case import make_case, read_case
from psoas.consultation import Consultant
from psoas.knowledge.digest import knowledge_digest
from psoas.knowledge.load import load
from psoas.telling.advice import advice
from psoas.telling.plain import to_text
from psoas.telling.record import to_json
from random_cases import Writer, shipped

SOME = ["V01", "V12", "V23", "V31", "V36", "V37", "V40"]


def said(consultant: Consultant) -> list[str]:
    texts = []
    for name in SOME:
        it = consultant.consult(read_case(consultant.knowledge, CASES / f"{name}.yaml"))
        texts += [to_json(it), to_text(advice(it))]
    return texts


def items(path: Path) -> list[dict[str, object]]:
    return list(yaml.load(path.read_text(), Loader=yaml.BaseLoader) or [])


@pytest.fixture
def shuffled(tmp_path: Path) -> Path:
    """A copy of the knowledge base: items in another order, the rules moved to other files, each item's keys turned."""
    kb, random = tmp_path / "kb", Random(1)
    shutil.copytree(ROOT / "kb", kb, ignore=shutil.ignore_patterns("cases"))
    for path in sorted(kb.rglob("*.yaml")):
        if path.stem == "knowledge":
            continue
        parts = [dict(reversed(list(item.items()))) for item in items(path)]
        random.shuffle(parts)
        path.write_text(yaml.safe_dump(parts, allow_unicode=True, sort_keys=False))
    rules = [item for path in sorted((kb / "rules").glob("*.yaml")) for item in items(path)]
    random.shuffle(rules)
    for path in (kb / "rules").glob("*.yaml"):
        path.unlink()
    for number in range(3):
        (kb / "rules" / f"part{number}.yaml").write_text(
            yaml.safe_dump(rules[number::3], allow_unicode=True, sort_keys=False)
        )
    return kb


def test_the_order_of_items_and_files_changes_no_byte(shuffled: Path, consultant: Consultant) -> None:
    """Seen to fail with `_by_id` in load.py keeping the order of the files."""
    other = load(shuffled)
    assert list(other.rules) == list(consultant.knowledge.rules)
    assert said(Consultant(other)) == said(consultant)
    assert knowledge_digest(other) == knowledge_digest(consultant.knowledge)


def test_the_order_of_answers_changes_no_byte(consultant: Consultant) -> None:
    """Seen to fail with `make_case` keeping the answers in the order written."""
    random = Random(2)
    for written in Writer(shipped()).cases(60, seed=3, red_flags=True):
        turned = list(written.items())
        random.shuffle(turned)
        first, second = (make_case(consultant.knowledge, answers) for answers in (written, dict(turned)))
        assert to_json(consultant.consult(first)) == to_json(consultant.consult(second))


def test_a_consultant_remembers_nothing_of_the_case_before(consultant: Consultant) -> None:
    """Seen to fail with `Inference.reset` keeping the supports of the run before."""
    fresh = said(Consultant(consultant.knowledge))
    consultant.consult(make_case(consultant.knowledge, {"saddle_numbness": "yes", "severity": "10"}))
    assert said(consultant) == fresh


def test_eight_processes_with_eight_hash_seeds_give_identical_bytes() -> None:
    """Seen to fail with `answer` in phrase.py joining the words of a set unsorted."""
    code = "import sys; sys.path.insert(0, 'tests'); import test_determinism as t; from random_cases import shipped\n"
    code += "sys.stdout.write('\\n'.join(t.said(shipped())))"
    path = os.pathsep.join(str(ROOT / part) for part in ("engine", "cli", "tests"))
    outputs = set()
    for seed in range(8):
        env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, env=env, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000
