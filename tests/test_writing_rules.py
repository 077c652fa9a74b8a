"""docs/writing-rules.md keeps its word: its items load, its case comes out, its mistakes give the messages it shows."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import ROOT
from psoas.faults import Unusable
from psoas.knowledge.load import load
from psoas_cli.main import psoas

PAGE = ROOT / "docs" / "writing-rules.md"
TEXT = PAGE.read_text()
WRITE = os.environ.get("PSOAS_GOLDEN") == "write"
CASE = "kb/cases/L01-home-with-a-rucksack.yaml"
MISTAKE = re.compile(
    r"(?:Write `(?P<new>[^`]+)` instead of `(?P<old>[^`]+)`|Leave out `(?P<out>[^`]+)`)[^:`]*:\n\n"
    r"```text\n(?P<message>.*?)```",
    re.DOTALL,
)


@pytest.fixture
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the knowledge base with everything the page adds."""
    shutil.copytree(ROOT / "kb", tmp_path / "kb", ignore=shutil.ignore_patterns("cases", "limits"))
    monkeypatch.chdir(tmp_path)
    for file, block in re.findall(r"[Aa]t the end of `(kb/[^`]+)`:\n\n```yaml\n(.*?)```", TEXT, re.DOTALL):
        with Path(file).open("a") as stream:
            stream.write(f"\n{block}")
    return Path("kb")


def test_the_case_and_its_limit_come_out_as_they_expect(kb: Path) -> None:
    like = (ROOT / "kb/cases/C01-half-a-minute-of-plank.yaml").read_text()
    answers = re.search(r"^answers:\n(.*?)^expect:", like, re.DOTALL | re.MULTILINE)
    block = re.search(r"^```yaml\n(id: .*?)```", TEXT, re.DOTALL | re.MULTILINE)
    limit = re.search(r"^```yaml\n(- tries: .*?)```", TEXT, re.DOTALL | re.MULTILINE)
    assert answers
    assert block
    assert limit
    assert CASE in TEXT
    for file, text in (
        (CASE, block[1].replace("  # (all other answers as in C01)\n", answers[1])),
        ("kb/limits/packs.yaml", limit[1]),
    ):
        Path(file).parent.mkdir()
        Path(file).write_text(text)
    done = CliRunner().invoke(psoas, ["audit", "cases", "--kb", "kb"])
    assert done.output == "1 worked case and 1 limit: all come out as they expect.\n"


def test_the_page_adds_one_of_each(kb: Path) -> None:
    before, after = load(ROOT / "kb"), load(kb)
    grown = {part: set(getattr(after, part)) - set(getattr(before, part)) for part in ("findings", "rules", "remedies")}
    assert grown == {
        "findings": {"pack_kg"},
        "rules": {"heavy-pack-on-runs", "heavy-pack-asks-more-of-the-back"},
        "remedies": {"lighter_pack"},
    }


def test_each_mistake_gives_the_message_shown(kb: Path) -> None:
    """With PSOAS_GOLDEN=write the messages are written into the page, to be read before they are kept."""
    page = TEXT
    found = list(MISTAKE.finditer(TEXT))
    assert len(found) >= 9
    for mistake in found:
        message = message_of(kb, mistake["old"] or mistake["out"], mistake["new"] or "")
        if WRITE:
            page = page.replace(mistake[0], mistake[0].replace(f"text\n{mistake['message']}```", f"text\n{message}```"))
        else:
            assert mistake["message"] == message, mistake[0]
    if WRITE:
        PAGE.write_text(page)


def message_of(kb: Path, old: str, new: str) -> str:
    """Return the messages after the first `old` that the page added is replaced by `new`."""
    file = next(path for path in kb.rglob("*.yaml") if old in added(path))
    sound = file.read_text()
    head = sound[: len(sound) - len(added(file))]
    file.write_text(head + added(file).replace(old, new, 1))
    with pytest.raises(Unusable) as refusal:
        load(kb)
    file.write_text(sound)
    return "".join(f"{fault}\n" for fault in refusal.value.faults)


def added(file: Path) -> str:
    """Return what the page added to `file`."""
    return file.read_text()[len((ROOT / file).read_text()) :]
