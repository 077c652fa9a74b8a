"""Every broken knowledge base in bad_kb/ is refused with exactly the messages in its expected.txt.

Each folder holds what is wrong and nothing else: files laid over a copy of kb_bicycle/, and in changes.txt, a line
each, what to replace in its files or which of them to leave out. With PSOAS_GOLDEN=write in the environment the
messages are written anew, to be read one by one before they are kept.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
from pathlib import Path

import pytest

import psoas
from psoas.faults import Unusable
from psoas.knowledge.load import load
from psoas.yamltext import read_bytes

TESTS = Path(__file__).parent
SOUND = TESTS / "kb_bicycle"
BROKEN = sorted(folder for folder in (TESTS / "bad_kb").iterdir() if folder.is_dir())
WRITE = os.environ.get("PSOAS_GOLDEN") == "write"

ENGINE = Path(psoas.__file__).parent
SPEAKING = [ENGINE / "yamltext.py", *sorted((ENGINE / "knowledge").glob("*.py"))]
"""The modules whose every message must be shown by some example."""


@pytest.fixture
def kb(tmp_path, monkeypatch):
    """A copy of the sound knowledge base; messages name its files from `kb/` on."""
    shutil.copytree(SOUND, tmp_path / "kb", ignore=shutil.ignore_patterns("cases"))
    monkeypatch.chdir(tmp_path)
    return Path("kb")


def faults_of(kb):
    """Return the messages with which `kb` is refused."""
    with pytest.raises(Unusable) as refusal:
        load(kb)
    return [str(fault) for fault in refusal.value.faults]


def spoil(kb, example):
    """Lay the broken `example` over the knowledge base `kb`."""
    shutil.copytree(example, kb, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.txt", "changes.txt"))
    changes = example / "changes.txt"
    for line in changes.read_text().splitlines() if changes.exists() else ():
        if line.startswith("without "):
            (kb / line.removeprefix("without ")).unlink()
            continue
        file, old, new = re.fullmatch(r"in (\S+): (.+?) =>(?: (.*))?", line).groups("")
        text = (kb / file).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (kb / file).write_text(text.replace(old, new.replace("\\n", "\n")))


def test_the_sound_knowledge_base_is_sound(kb):
    assert load(kb).manifest.title


def named(folders):
    """Return test parameters with the names of `folders` as ids."""
    return [pytest.param(folder, id=folder.name) for folder in folders]


@pytest.mark.parametrize("example", named(folder for folder in BROKEN))
def test_a_broken_knowledge_base_is_refused_with_the_expected_messages(example, kb):
    spoil(kb, example)
    shown = "\n".join(faults_of(kb)) + "\n"
    if WRITE:
        (example / "expected.txt").write_text(shown)
    assert shown == (example / "expected.txt").read_text()


def test_faults_of_several_files_are_reported_at_once_in_the_order_of_their_places(kb):
    together = ["unknown-key", "number-without-a-range", "dose-without-a-source", "formula-with-a-power"]
    for example in together:
        spoil(kb, TESTS / "bad_kb" / example)
    (kb / "rules" / "one_more.yaml").write_text("- {id: x, becaus: no}\n- {id: y, if: [a]}\n")
    shown = faults_of(kb)
    files = [message.split(":")[0] for message in shown]
    assert files == sorted(files)
    assert set(files) == {
        "kb/calculated/more.yaml",
        "kb/remedies/more.yaml",
        "kb/rules/broken.yaml",
        "kb/rules/one_more.yaml",
    }
    assert [m for m in shown if "one_more.yaml:1:" in m]
    assert [m for m in shown if "one_more.yaml:2:" in m]


def test_texts_that_are_not_yaml_are_reported_at_once(kb):
    for number in (1, 2, 3):
        (kb / "rules" / f"open{number}.yaml").write_text("- [\n")
    assert [message.split(":")[0] for message in faults_of(kb)] == [f"kb/rules/open{n}.yaml" for n in (1, 2, 3)]


def test_unknown_names_of_several_files_are_reported_at_once(kb):
    for example in ("unknown-tier", "unknown-kind", "withholding-an-unknown-trait", "no-outcome"):
        spoil(kb, TESTS / "bad_kb" / example)
    assert [message.split(":")[0] for message in faults_of(kb)] == [
        "kb/conclusions/more.yaml",
        "kb/knowledge.yaml",
        "kb/remedies/more.yaml",
        "kb/withholding/more.yaml",
        "kb/withholding/more.yaml",
    ]


def test_the_order_in_which_files_are_met_does_not_change_the_messages(kb, monkeypatch):
    for example in ("unknown-tier", "unknown-kind"):
        spoil(kb, TESTS / "bad_kb" / example)
    before = faults_of(kb)
    walk = os.walk

    def backwards(top, **options):
        for folder, folders, files in walk(top, **options):
            folders.sort(reverse=True)
            yield folder, folders, sorted(files, reverse=True)

    monkeypatch.setattr(os, "walk", backwards)
    assert faults_of(kb) == before


# What a folder in git cannot hold


def test_a_folder_that_is_not_there_is_no_knowledge_base(kb):
    assert faults_of(kb / "nowhere") == ["kb/nowhere: is not the folder of a knowledge base"]


def test_a_file_is_no_knowledge_base(kb):
    assert faults_of(kb / "knowledge.yaml") == ["kb/knowledge.yaml: is not the folder of a knowledge base"]


def test_an_empty_folder_has_no_manifest(tmp_path):
    assert faults_of(tmp_path) == [
        f"{tmp_path}: has no knowledge.yaml\n    it is the file that makes a folder a knowledge base"
    ]


def test_a_folder_above_or_below_that_of_a_knowledge_base_leads_to_it(kb, tmp_path):
    assert faults_of(tmp_path) == [f"{tmp_path}: has no knowledge.yaml\n    did you mean {tmp_path / 'kb'}?"]
    assert faults_of(kb / "rules") == [f"kb/rules: has no knowledge.yaml\n    did you mean {tmp_path / 'kb'}?"]


def test_where_there_is_no_manifest_nothing_else_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "walk", lambda *_, **__: pytest.fail("walked through"))
    faults_of(tmp_path)


def test_folders_set_apart_are_not_entered(kb, monkeypatch):
    for folder in (".git/deep", "cases/deep"):
        (kb / folder).mkdir(parents=True)
    entered, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: entered.append(str(path)) or scandir(path))
    load(kb)
    assert {Path(path).name for path in entered} == {"kb", "conclusions", "findings", "remedies", "rules"}


@pytest.mark.parametrize("folder", [Path("kb"), Path("kb/rules")], ids=str)
def test_a_folder_nobody_may_read_is_named(kb, monkeypatch, folder):
    scandir = os.scandir

    def refusing(path):
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert faults_of(kb) == [f"{folder}: cannot be read: Permission denied"]


def test_a_folder_nobody_may_look_into_is_named(kb, monkeypatch):
    stat = Path.stat

    def refusing(path, **options):
        if path.parent == kb:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    assert faults_of(kb) == ["kb: cannot be read: Permission denied"]


def test_a_missing_file_in_a_folder_nobody_may_list_has_no_neighbours(kb, monkeypatch):
    def refusing(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refusing)
    with pytest.raises(Unusable) as refusal:
        read_bytes(kb / "rulse.yaml")
    assert str(refusal.value) == "kb/rulse.yaml: there is no such file"


def test_a_link_to_a_folder_is_not_passed_over_in_silence(kb):
    (kb / "rules").rename("elsewhere")
    (kb / "rules").symlink_to("../elsewhere")
    assert faults_of(kb) == ["kb/rules: is a link to a folder, and is not followed\n    put the folder itself here"]


def test_a_file_may_end_in_yml_and_in_capitals(kb):
    for file in [*(kb / "rules").iterdir(), kb / "knowledge.yaml"]:
        file.rename(file.with_suffix(".yml"))
    (kb / "sources.yaml").rename(kb / "sources.YAML")
    assert load(kb).rules.keys() == load(SOUND).rules.keys()


def test_two_manifests_are_one_too_many(kb):
    shutil.copy(kb / "knowledge.yaml", kb / "knowledge.yml")
    assert faults_of(kb) == [
        "kb/knowledge.yml: there is one manifest, knowledge.yaml\n    put what stands here into it"
    ]


def test_of_many_faults_only_the_first_are_worked_out(kb, monkeypatch):
    """Finding the nearest name costs far more than the fault it is for."""
    rules = "".join(
        f"- {{id: r{n}, if: {{lever_at_bar{n}: no}}, then: worn_pads, strength: hint, because: so, sources: [F-1]}}\n"
        for n in range(9000)
    )
    (kb / "rules" / "many.yaml").write_text(rules)
    asked = []
    monkeypatch.setattr(psoas.faults, "nearest", lambda word, known: asked.append(word) or ("lever_to_bar",))
    with pytest.raises(Unusable) as refusal:
        load(kb)
    assert len(refusal.value.faults) == 9000
    assert not asked
    said = str(refusal.value)
    assert len(asked) == 50
    assert said.count("did you mean lever_to_bar?") == 50
    assert said.endswith("\n… and 8950 more")


def test_a_link_to_nowhere_is_a_missing_file(kb):
    (kb / "rules" / "link.yaml").symlink_to("nowhere.yaml")
    (message,) = faults_of(kb)
    assert message.startswith("kb/rules/link.yaml: there is no such file")


def test_a_link_to_itself_cannot_be_read(kb):
    (kb / "rules" / "loop.yaml").symlink_to("loop.yaml")
    (message,) = faults_of(kb)
    assert message.startswith("kb/rules/loop.yaml: cannot be read: ")


def test_a_file_of_four_megabytes_is_refused_unread(kb):
    (kb / "rules" / "broken.yaml").write_bytes(b"# " + b"x" * 4_000_000)
    assert faults_of(kb) == ["kb/rules/broken.yaml: is larger than 4 MB\n    is it the right file?"]


def test_files_that_say_nothing_are_no_fault(kb):
    (kb / "rules" / "empty.yaml").touch()
    (kb / "rules" / "note.yaml").write_text("# rules to come\n")
    (kb / "rules" / "dashes.yaml").write_text("---\n# rules to come\n...\n")
    (kb / "rules" / "nothing.yaml").write_text("null\n")
    (kb / "rules" / "README.md").write_text("not YAML: [")
    (kb / ".git").mkdir()
    (kb / ".git" / "hidden.yaml").write_text("[")
    (kb / "cases").mkdir()
    (kb / "cases" / "any.yaml").write_text("[")
    assert load(kb).rules.keys() == load(SOUND).rules.keys()


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_the_line_ends_of_other_systems_are_read_and_counted(kb, ending):
    for file in kb.rglob("*.yaml"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_text().replace("\n", ending).encode())
    assert load(kb).rules == load(SOUND).rules
    broken = ending.join(["- id: broken", "  becaus: a slip", "- thin"])
    (kb / "rules" / "broken.yaml").write_bytes(broken.encode())
    assert [m.split(": ")[0] for m in faults_of(kb)][-1] == "kb/rules/broken.yaml:3:3"


# Every message has its example


def templates(module):
    """Yield (line, pattern) for each message that `module` can raise: its words, with gaps for what is filled in."""
    for node in ast.walk(ast.parse(module.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        message = {"Fault": node.args[1:2], "fault": node.args[1:2], "ValueError": node.args[:1]}.get(name, [])
        for text in message:
            if isinstance(text, ast.Constant):
                yield node.lineno, re.escape(text.value)
            elif isinstance(text, ast.JoinedStr):
                parts = (re.escape(p.value) if isinstance(p, ast.Constant) else ".*" for p in text.values)
                yield node.lineno, "".join(parts)


SHOWN_ELSEWHERE = (
    "is not the folder of a knowledge base",  # in tests above
    "is a link to a folder",
    "there is no such file",
    "cannot be read",
    "is larger than",
    "is no name of a file",  # in test_bad_cases.py
    "there is no standard input",
    "is nested too deeply",
    "this installation has no knowledge base",  # only without one
)


@pytest.mark.parametrize("module", SPEAKING, ids=lambda path: path.stem)
def test_every_message_of_the_loader_is_shown_by_an_example(module):
    shown = "".join((folder / "expected.txt").read_text() for folder in BROKEN)
    missing = [
        f"{module.name}:{line}: {pattern}"
        for line, pattern in templates(module)
        if not re.search(pattern, shown) and not any(re.escape(text) in pattern for text in SHOWN_ELSEWHERE)
    ]
    assert not missing


def test_every_example_of_a_fault_has_its_message():
    assert [folder.name for folder in BROKEN if not (folder / "expected.txt").exists()] == []
