"""An interview on disk: whole or not at all, one process at a time, and found again whatever broke it off."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from psoas.journal import UNFINISHED, Journal, NoJournal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "psoas"


def unfinished(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{UNFINISHED}"))


def test_nothing_is_written_before_there_is_something_to_write(folder: Path) -> None:
    journal = Journal.begin(folder)
    assert not journal.kept
    assert unfinished(folder) == []
    journal.release()
    assert list(folder.iterdir()) == []


def test_what_is_written_is_there_and_private(folder: Path) -> None:
    journal = Journal.begin(folder)
    assert journal.write("first\n")
    assert journal.write("second “ü”\n")
    assert journal.path.read_text(encoding="utf-8") == "second “ü”\n"
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.suffix for path in sorted(folder.iterdir())] == [".lock", ".yaml"]


def test_a_finished_interview_is_not_gone_on_with(folder: Path) -> None:
    journal = Journal.begin(folder)
    journal.write("x")
    journal.finish()
    assert [path.name for path in folder.iterdir()] == [journal.path.name]
    assert journal.path.read_text() == "x"
    assert UNFINISHED not in journal.path.name
    with pytest.raises(NoJournal, match="none is unfinished"):
        Journal.resume(folder)


def test_finishing_without_an_answer_leaves_nothing(folder: Path) -> None:
    journal = Journal.begin(folder)
    journal.finish()
    assert list(folder.iterdir()) == []


def test_the_newest_is_gone_on_with(folder: Path) -> None:
    for name, age in (("old", 100), ("new", 200), ("older", 50)):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}{UNFINISHED}"
        path.write_text(name)
        os.utime(path, (age, age))
    assert Journal.resume(folder).path.read_text() == "new"


def test_one_that_is_open_elsewhere_is_left_alone(folder: Path) -> None:
    first = Journal.begin(folder)
    first.write("first")
    with pytest.raises(NoJournal, match=r"1 unfinished in .*, but still open in another window"):
        Journal.resume(folder)
    second = Journal.begin(folder)
    assert second.path != first.path  # in the same second, by the same process
    second.write("second")
    second.release()
    assert Journal.resume(folder).path == second.path
    first.release()
    assert Journal.resume(folder).path == first.path


def test_a_name_that_is_taken_is_not_written_over(folder: Path) -> None:
    first = Journal.begin(folder)
    first.write("first")
    first.release()
    second = Journal.begin(folder)
    second.write("second")
    assert first.path.read_text() == "first"


def test_two_that_go_on_at_once_take_different_ones(folder: Path) -> None:
    for name in "abc":
        Journal(folder / f"{name}{UNFINISHED}").write(name)
    taken = [Journal.resume(folder) for _ in range(3)]
    assert {journal.path.read_text() for journal in taken} == set("abc")
    with pytest.raises(NoJournal, match=r"3 unfinished"):
        Journal.resume(folder)


def test_no_folder_no_interview(folder: Path) -> None:
    with pytest.raises(NoJournal, match="none is unfinished in"):
        Journal.resume(folder)


def test_a_process_that_is_killed_lets_go(folder: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from psoas.journal import Journal\n"
        "journal = Journal.begin(Path(sys.argv[1])); journal.write('kept'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "engine")}
    done = subprocess.run([sys.executable, "-c", code, str(folder)], env=env, check=False)
    assert done.returncode == -9
    assert Journal.resume(folder).path.read_text() == "kept"


def test_a_lock_cleared_away_between_opening_and_locking_is_not_held(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who held it clears it away as he ends; a third may hold a new file of the name by then."""
    import fcntl

    Journal(folder / f"x{UNFINISHED}").write("x")
    lock = folder / "x.lock"

    def replaced(stream: object, flags: int) -> None:
        lock.unlink()
        lock.write_text("another's")

    monkeypatch.setattr(fcntl, "flock", replaced)
    with pytest.raises(NoJournal, match="still open"):
        Journal.resume(folder)


def test_one_that_was_finished_meanwhile_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(folder / f"old{UNFINISHED}").write("old")
    gone = folder / f"gone{UNFINISHED}"
    found = [gone, folder / f"old{UNFINISHED}"]
    monkeypatch.setattr(Path, "glob", lambda self, pattern: found)
    assert Journal.resume(folder).path.read_text() == "old"


# where it cannot be written


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "psoas").write_text("")
    journal = Journal.begin(tmp_path / "psoas")
    assert journal.trouble == "a file stands where the folder should be"
    assert not journal.write("x")
    assert journal.trouble
    assert not journal.kept
    journal.finish()
    assert (tmp_path / "psoas").read_text() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_said(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    journal = Journal.begin(folder)
    assert not journal.write("x")
    assert journal.trouble == "Permission denied"


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_full_disk_leaves_the_last_whole_state(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    journal = Journal.begin(folder)
    assert journal.write("whole")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        assert not journal.write("half")
    assert journal.trouble == "No space left on device"
    assert journal.kept
    assert journal.path.read_text() == "whole"
    assert [path.suffix for path in sorted(folder.iterdir())] == [".lock", ".yaml"]
    assert journal.write("whole again")  # room was made
    assert journal.trouble == ""
    assert journal.path.read_text() == "whole again"


def test_an_interrupt_while_writing_leaves_the_last_whole_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.begin(folder)
    journal.write("whole")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.write("half")
    assert journal.path.read_text() == "whole"
    assert [path.suffix for path in sorted(folder.iterdir())] == [".lock", ".yaml"]


def test_a_folder_that_was_cleared_away_is_made_again(folder: Path) -> None:
    import shutil

    journal = Journal.begin(folder)
    journal.write("x")
    shutil.rmtree(folder)
    assert journal.write("y")
    assert journal.path.read_text() == "y"
    journal.finish()
    assert journal.path.read_text() == "y"


def test_a_journal_without_a_lock_can_still_be_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only disk it can be read, and what is answered from then on cannot be kept: that is said."""
    Journal(folder / f"x{UNFINISHED}").write("x")
    monkeypatch.setattr("psoas.journal._locked", lambda path: (_ for _ in ()).throw(OSError(errno.EROFS, "Read-only")))
    journal = Journal.resume(folder)
    assert (journal.path.read_text(), journal.trouble, journal.kept) == ("x", "Read-only", True)
