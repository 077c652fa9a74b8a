"""Bad case files through the real command: a message with its place and exit 2, or refused answers and advice.

Each file in bad_cases/ has beside it, as `.expected`, the exit code and then either the messages or the answers as they
were taken and refused. `PSOAS_GOLDEN=write pytest tests/test_bad_cases.py` writes those anew, to be read one by one.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
BICYCLE = TESTS / "kb_bicycle"
BAD = sorted((TESTS / "bad_cases").glob("*.yaml"))
SOUND = BICYCLE / "cases" / "mirror.yaml"
WRITE = os.environ.get("PSOAS_GOLDEN") == "write"

PATH = os.pathsep.join(str(TESTS.parent / root) for root in ("engine", "cli"))
HERE = {**os.environ, "PYTHONPATH": PATH, "PYTHONWARNINGS": "error", "NO_COLOR": "1"}


def command(*arguments):
    return [sys.executable, "-m", "psoas_cli", *map(str, arguments)]


def run(line, env=(), **options):
    """Run a command in a process of its own; whatever comes out, no traceback and no crash may."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    done = subprocess.run(line, check=False, env={**HERE, **dict(env)}, timeout=60, **options)
    assert done.returncode >= 0, f"killed by {signal.Signals(-done.returncode).name}"
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")[-2000:]
    return done


def psoas(*arguments, kb=BICYCLE, cwd=TESTS / "bad_cases", **options):
    """Run the command line on kb_bicycle."""
    return run(command(*arguments, *(("--kb", kb) if kb else ())), cwd=cwd, **options)


@pytest.fixture
def psoas_here(monkeypatch, tmp_path):
    """The command line in this process, for what does not depend on being one of its own."""
    from click.testing import CliRunner

    from psoas_cli.main import psoas as commands

    def run(*arguments, kb=BICYCLE, cwd=TESTS / "bad_cases", input=None):
        monkeypatch.chdir(cwd)
        done = CliRunner().invoke(commands, [*map(str, arguments), "--kb", str(kb)], input=input)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout_bytes, done.stderr_bytes)

    yield run
    gc.enable()  # the command line turns it off, as its process is to end soon


def messages(done):
    """Return what was said on standard error, after checking that it was a refusal and nothing else."""
    assert done.returncode == 2
    assert done.stdout == b""
    return done.stderr.decode()


def shown(done):
    """Return the outcome of `consult --format json` as the text of an `.expected` file."""
    if done.returncode:
        return f"exit {done.returncode}\n{messages(done)}"
    case = json.loads(done.stdout)["case"]
    refused = {item["finding"]: item for item in case["rejected"]}
    lines = ["exit 0"]
    for finding, answer in case["answers"].items():
        if finding in refused:
            item = refused[finding]
            lines.append(f"refused {finding}: {json.dumps(item['value'])}\n    {item['reason']}")
        else:
            lines.append(f"taken {finding}: {json.dumps(answer)}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("file", [pytest.param(f, id=f.stem) for f in BAD])
def test_a_bad_case_is_answered_with_the_expected_messages(file, psoas_here):
    outcome = shown(psoas_here("consult", file.name, "--format", "json"))
    expected = file.with_suffix(".expected")
    if WRITE:
        expected.write_text(outcome)
    assert outcome == expected.read_text()


# Refused answers are shown, and the consultation goes on with the rest


def test_refused_answers_are_shown_and_the_rest_is_consulted_on(tmp_path, psoas_here):
    case = tmp_path / "case.yaml"
    case.write_text("answers: {lever_to_bar: yes, pad_mm: 5.5, km_on_pads: 30000, load_kg: heavy}\n")
    done = psoas_here("consult", case)
    assert done.returncode == 0
    said = done.stdout.decode()
    assert said.startswith("DO NOT RIDE")
    assert " ".join(said.split()).count("no pad is as good as new after so long") == 1
    assert "'heavy' is not a number" in said


def test_a_refused_answer_leaves_its_question_open(tmp_path, psoas_here):
    case = tmp_path / "case.yaml"
    case.write_text("answers: {lever_to_bar: perhaps, cable_or_hose: sound, brake_type: disc}\n")
    data = json.loads(psoas_here("consult", case, "--format", "json").stdout)
    assert data["disposition"]["level"] == "visit_workshop"
    assert data["disposition"]["screen"]["missing"] == ["lever_to_bar"]
    assert data["remedies"] == [remedy for remedy in data["remedies"] if remedy["tier"] == "safety"]


# Files


def test_a_file_that_is_not_there_is_told_with_its_nearest_neighbour(psoas_here):
    said = messages(psoas_here("consult", BICYCLE / "cases" / "miror.yaml"))
    assert said == f"psoas: {BICYCLE}/cases/miror.yaml: there is no such file\n    did you mean {SOUND}?\n"


def test_a_folder_is_no_case(tmp_path, psoas_here):
    said = messages(psoas_here("consult", tmp_path))
    assert said == f"psoas: {tmp_path}: is a directory\n    a file is needed here\n"


def test_no_case_at_all_is_a_question_of_usage(psoas_here):
    assert "give a case file" in messages(psoas_here("consult", "--no-input"))


def test_two_hundred_megabytes_are_refused_unread(tmp_path, psoas_here):
    case = tmp_path / "case.yaml"
    with case.open("wb") as stream:
        stream.truncate(200_000_000)  # takes no room on the disk
    assert messages(psoas_here("consult", case)) == f"psoas: {case}: is larger than 4 MB\n    is it the right file?\n"


@pytest.mark.parametrize(("size", "refused"), [(200_000, False), (200_001, True)])
def test_a_case_is_no_larger_than_two_hundred_kilobytes(tmp_path, size, refused, psoas_here):
    case = tmp_path / "case.yaml"
    case.write_text("answers: {load_kg: 80}\n#".ljust(size, "x"))
    done = psoas_here("consult", case)
    assert done.returncode == (2 if refused else 0)
    assert (b"is larger than 200 kB" in done.stderr) is refused


def test_a_file_name_with_a_nul_is_none():
    from psoas.faults import Unusable
    from psoas.yamltext import read_bytes

    with pytest.raises(Unusable, match="is no name of a file"):
        read_bytes(Path("a\0b"))


@pytest.mark.parametrize("name", ["with blank.yaml", "-dash.yaml", "vélo 🚲.yaml", "line\nbreak.yaml", "bare", "a.b.c"])
def test_a_case_may_have_any_name(tmp_path, name):
    (tmp_path / name).write_text("answers: {load_kg: 80}\n")
    done = psoas("consult", "--format", "json", "--kb", BICYCLE, "--", name, kb=None, cwd=tmp_path)
    assert json.loads(done.stdout)["case"]["id"] == Path(name).stem


NOT_UTF8 = b"\xff.yaml"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not have such names")
@pytest.mark.parametrize("output", [(), ("-o", "out.json"), ("--save", "saved.yaml")])
def test_a_case_whose_name_is_not_utf_8_is_consulted_on(tmp_path, output):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NOT_UTF8)).write_text("answers: {load_kg: 80}\n")
    line = [*command("consult", "--format", "json", "--kb", BICYCLE, *output), NOT_UTF8]
    done = run(line, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode("utf-8") or output


def test_a_name_with_escape_characters_is_shown_escaped(tmp_path, psoas_here):
    assert "\x1b" not in messages(psoas_here("consult", tmp_path / "\x1b[31mred\x07.yaml")).replace("\x07", "\x1b")


# Nesting


DEEP = {
    "brackets": "answers: " + "[" * 100_000,
    "brackets closed": "answers: " + "[" * 90_000 + "]" * 90_000,
    "braces": "answers: " + "{a: " * 40_000,
    "dashes": "- " * 90_000 + "x",
    "questions": "? " * 90_000 + "x",
    "brackets that a comment seems to close": "answers: " + "[ #]\n" * 39_000,
    "brackets that a text seems to close": "answers: " + '["]", ' * 33_000,
    "braces that a key seems to close": "answers: " + "{']': " * 33_000,
}


@pytest.mark.parametrize(
    "name",
    list(DEEP),
)
def test_a_case_nested_a_hundred_thousand_levels_deep_is_refused(tmp_path, name):
    case = tmp_path / "case.yaml"
    case.write_text(DEEP[name])
    assert "nested" in messages(psoas("consult", case))


def test_a_knowledge_base_nested_a_hundred_thousand_levels_deep_is_refused(tmp_path):
    (tmp_path / "knowledge.yaml").write_text("title: " + "[" * 100_000)
    assert "nested" in messages(psoas("consult", SOUND, kb=tmp_path))


def test_brackets_in_texts_and_comments_nest_nothing(tmp_path):
    case = tmp_path / "case.yaml"
    case.write_text("# " + "[" * 600 + "\nid: x\ntitle: '" + "{" * 600 + "'\nanswers: {load_kg: 80}\n")
    assert psoas("consult", case).returncode == 0


# Standard input and output


def test_a_case_comes_from_standard_input_as_from_a_file():
    piped = psoas("consult", "-", "--format", "json", input=SOUND.read_bytes())
    assert piped.stdout == psoas("consult", SOUND, "--format", "json").stdout


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "<stdin>: is empty"),
        (b"\xff\xfe", "<stdin>:1:1: is not text in UTF-8"),
        (b"answers: {lod_kg: 80}\n", "<stdin>:1:11: there is no finding 'lod_kg'"),
        (b"x" * 4_000_001, "<stdin>: is larger than 4 MB"),
    ],
    ids=["nothing", "binary", "a misspelt finding", "too much"],
)
def test_what_is_wrong_with_standard_input_is_told(data, said, psoas_here):
    assert said in messages(psoas_here("consult", "-", input=data))
    assert said in messages(psoas_here("explain", "-", "worn_pads", input=data))


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    plain = SOUND.read_bytes()
    expected = psoas("consult", "-", input=plain).stdout
    assert psoas("consult", "-", input=b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")).stdout == expected
    assert psoas("consult", "-", input=plain.replace(b"\n", b"\r")).stdout == expected


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_reader_that_has_gone_away_is_no_reason_to_complain(form):
    reading, writing = os.pipe()
    os.close(reading)
    line = command("consult", SOUND, "--kb", BICYCLE, "--format", form)
    with os.fdopen(writing, "wb") as closed:
        assert run(line, stdout=closed).stderr == b""


@pytest.mark.parametrize(
    "redirection",
    [
        "<&-",
        ">&-",
        "2>&-",
    ],
)
def test_a_closed_stream_is_no_reason_to_crash(redirection):
    line = f'"$@" {redirection}'
    case = "-" if redirection.startswith("<") else SOUND
    done = run(["sh", "-c", line, "sh", *command("consult", case, "--kb", BICYCLE)])
    assert done.returncode == (2 if case == "-" else 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told():
    with Path("/dev/full").open("wb") as full:
        assert run(command("consult", SOUND, "--kb", BICYCLE), stdout=full).returncode == 2


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "ascii",
        "cp1252",
        "latin-1",
    ],
)
def test_the_advice_is_printed_whatever_the_encoding_of_the_terminal(encoding):
    for arguments in (("consult", SOUND), ("explain", SOUND, "glazed_pads")):
        done = psoas(*arguments, env={"PYTHONIOENCODING": encoding})
        assert done.returncode == 0
        assert done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_quietly_with_exit_130():
    line = command("consult", "-", "--kb", BICYCLE)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(line, env=HERE, **pipes) as waiting:
        time.sleep(2)  # by then it waits for its input
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, err) == (130, b"", b"")


# Options


@pytest.mark.parametrize("arguments", [("--format", "pdf"), ("--format", "JSON"), ("--fromat", "json"), (str(SOUND),)])
def test_a_wrong_option_is_a_question_of_usage(arguments, psoas_here):
    assert "Try 'psoas consult --help'" in messages(psoas_here("consult", SOUND, *arguments))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("worn_pad", "did you mean worn_pads?"),
        ("do_not_rid", "did you mean do_not_ride?"),
        ("t1", "did you mean T1?"),
        ("rule:worn_pads", "did you mean worn_pads?"),
        ("", "ids stand in the knowledge base"),
        (":", "ids stand in the knowledge base"),
        ("\x1b[31m\n", "ids stand in the knowledge base"),
        ("x" * 100_000, "ids stand in the knowledge base"),
    ],
    ids=["near", "a level", "another case", "another kind", "empty", "colon", "hostile", "long"],
)
def test_an_unknown_id_cannot_be_explained(name, hint, psoas_here):
    said = messages(psoas_here("explain", SOUND, name))
    assert "there is nothing called" in said
    assert hint in said
    assert "\x1b" not in said
    assert len(said) < 400


@pytest.mark.parametrize("folder", ["nowhere", "mirror.yaml"])
def test_a_knowledge_base_that_is_none_is_told(folder, psoas_here):
    place = BICYCLE / "cases" / folder
    said = messages(psoas_here("consult", SOUND, kb=place))
    assert said == f"psoas: {place}: is not the folder of a knowledge base\n"


def test_the_faults_of_a_broken_knowledge_base_are_told_up_to_fifty(tmp_path, psoas_here):
    (tmp_path / "knowledge.yaml").write_text("title: x\n")
    (tmp_path / "rules.yaml").write_text("- {}\n" * 60)
    said = messages(psoas_here("consult", SOUND, kb=tmp_path))
    *first, last = said.splitlines()
    assert len(first) == 50
    assert last.startswith("… and ")


# Writing


@pytest.mark.parametrize("option", ["-o", "--save"])
@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere/out", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/out", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("", ""),
        (".", ""),
    ],
    ids=["missing folder", "folder", "below a file", "long name", "empty", "dot"],
)
def test_an_output_that_cannot_be_written_is_told(tmp_path, option, target, why, psoas_here):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    done = psoas_here("consult", SOUND, option, target, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{target}: cannot be written: {why}" in done.stderr.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_an_unusable_case_leaves_the_output_alone(tmp_path, psoas_here):
    output = tmp_path / "out.json"
    output.write_text("precious")
    messages(psoas_here("consult", "unknown-keys.yaml", "-o", output, "--save", tmp_path / "saved.yaml"))
    assert output.read_text() == "precious"
    assert not (tmp_path / "saved.yaml").exists()


def test_a_file_of_the_same_name_with_part_at_its_end_is_left_alone(tmp_path, psoas_here):
    (tmp_path / "out.json.part").write_text("precious")
    psoas_here("consult", SOUND, "-o", "out.json", cwd=tmp_path)
    assert (tmp_path / "out.json.part").read_text() == "precious"


def test_an_output_that_is_private_stays_private(tmp_path, psoas_here):
    output = tmp_path / "out.json"
    output.touch(mode=0o600)
    assert psoas_here("consult", SOUND, "-o", output).returncode == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_an_output_that_is_a_link_stays_one(tmp_path, psoas_here):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    assert psoas_here("consult", SOUND, "-o", tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text().startswith("Ride on")


def test_an_output_that_is_a_link_to_itself_cannot_be_written(tmp_path, psoas_here):
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be written" in messages(psoas_here("consult", SOUND, "-o", tmp_path / "loop"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_an_output_that_is_no_regular_file_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert psoas("consult", SOUND, "-o", pipe).returncode == 0
        assert os.read(reading, 1_000_000).startswith(b"Ride on")
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reading)


# Saving


@pytest.fixture
def saved_and_read(tmp_path, psoas_here):
    """Return the case in a text as the command sees it, and as it sees what it saved of it."""

    def consult_twice(text):
        (tmp_path / "case.yaml").write_text(text)
        first = psoas_here("consult", "case.yaml", "--format", "json", "--save", "saved.yaml", cwd=tmp_path)
        again = psoas_here("consult", "saved.yaml", "--format", "json", cwd=tmp_path)
        assert (first.returncode, again.returncode) == (0, 0), again.stderr.decode()
        return (json.loads(done.stdout)["case"] for done in (first, again))

    return consult_twice


@pytest.mark.parametrize(
    "word",
    [
        "perhaps",
        "two words",
        "a: b",
        "# note",
        "[x",
        "{x}",
        "*x",
        "&x",
        "!x",
        "'x'",
        '\\"x\\"',
        "- x",
        "x - y",
        "é 🚲",
        "\\t\\n\\\\",
        "\\e[31m",
        "\\0",
        "null",
        "~",
        "\\x7f",
        "\\x9b31m",
        "x\\Ly",
        "x\\Ny",
        "\\uFEFF",
    ],
)
def test_a_saved_case_gives_the_same_answers_refused_ones_included(word, saved_and_read):
    first, again = saved_and_read(f'id: x\nanswers: {{brake_type: "{word}", pad_mm: 2}}\n')
    assert first["rejected"]
    assert again == first


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(f, id=f.stem)
        for f in BAD
        if f.with_suffix(".expected").exists()
        and f.with_suffix(".expected").read_text().startswith("exit 0")
        and f.stem != "hostile-text"  # for its control characters see above
    ],
)
def test_every_case_that_is_consulted_on_can_be_saved_and_read_again(file, saved_and_read):
    first, again = saved_and_read(file.read_text())
    assert again == first


# What is printed


@pytest.fixture(scope="module")
def hostile():
    """The consultation on a case full of control characters and markup."""
    from psoas.case import read_case
    from psoas.consultation import Consultant
    from psoas.knowledge.load import load

    consultant = Consultant(load(BICYCLE))
    return consultant.consult(read_case(consultant.knowledge, TESTS / "bad_cases" / "hostile-text.yaml"))


def test_no_control_character_of_a_case_reaches_the_terminal(hostile):
    from psoas.telling.advice import advice
    from psoas.telling.plain import to_text

    said = to_text(advice(hostile))
    assert "<b>oily</b>" in said
    assert {c for c in said if not c.isprintable()} == {"\n"}


def test_no_control_character_or_markup_of_a_case_reaches_the_markdown(hostile):
    from psoas.telling.advice import advice
    from psoas.telling.markdown import to_markdown

    said = to_markdown(advice(hostile))
    assert "\\<b\\>oily" in said
    assert "\\`frayed\\`" in said
    assert {c for c in said if not c.isprintable()} == {"\n"}


def test_markup_of_a_case_is_text_in_markdown(hostile):
    from psoas.telling.advice import advice
    from psoas.telling.markdown import to_markdown

    said = to_markdown(advice(hostile))
    assert "<b>" not in said
    assert "<script" not in said


def test_a_long_answer_is_cut_in_the_reason_why_it_was_refused(tmp_path, psoas_here):
    (tmp_path / "case.yaml").write_text(f"answers: {{brake_type: {'x' * 100_000}}}\n")
    done = psoas_here("consult", "case.yaml", "--format", "json", cwd=tmp_path)
    (refused,) = json.loads(done.stdout)["case"]["rejected"]
    assert len(refused["reason"]) < 200


def test_a_long_answer_is_cut_where_it_is_shown(tmp_path, psoas_here):
    (tmp_path / "case.yaml").write_text(f"answers: {{brake_type: {'x' * 100_000}}}\n")
    assert len(psoas_here("consult", "case.yaml", cwd=tmp_path).stdout) < 10_000
