"""The commands as people type them: what goes to stdout, what to stderr, and the exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from neocog import __version__
from neocog.cli import app
from neocog.cli._arguments import parse_size
from neocog.cli._console import TrainingView, clock, printable
from neocog.cli._guard import guarded
from neocog.exceptions import ArgumentError


def neocog(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One short run on the digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = neocog("train", "digits", "--model", "mlp", "--epochs", 2, "--out", folder)
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three grey pictures, one with a name that markup or CSV could stumble over."""
    rng = np.random.default_rng(0)
    for name in ("a.png", "b [red], 한글.png", 'c"quote.png'):
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def test_version_and_help() -> None:
    assert neocog("--version").stdout == f"neocog {__version__}\n"
    whole = neocog("--help").stdout
    assert all(command in whole for command in ("train", "evaluate", "predict"))
    told = neocog("train", "--help").stdout
    for wanted in (
        "--model",
        "--image-size",
        "--epochs",
        "--seed",
        "--out",
        "--strict",
        "neocog train photos",
    ):
        assert wanted in told


def test_help_names_every_model_and_data_set() -> None:
    from neocog.data import DATASETS
    from neocog.workflows import AUGMENTATIONS, MODELS

    told = " ".join(neocog("train", "--help").stdout.split())
    for name in (*MODELS, *DATASETS, *AUGMENTATIONS):
        assert name in told, name


def test_help_needs_no_torch() -> None:
    code = (
        "import sys\nfrom neocog.cli import app\n"
        "try:\n    app(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'PIL', 'sklearn', 'matplotlib', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_training_prints_accuracy_and_where_the_report_is(tmp_path: Path) -> None:
    done = neocog("train", "digits", "--model", "mlp", "--epochs", 2, "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert "data: digits, 10 classes" in done.stdout
    assert "plan: " in done.stdout
    assert re.search(r"epoch 2/2  loss \d+\.\d{4}  accuracy 0\.\d{4}  validation loss", done.stdout)
    last = done.stdout.splitlines()[-3:]
    assert re.match(r"test accuracy 0\.\d{4} \(\d+ of 359 images; 95 % interval", last[0])
    assert last[2] == f"report {tmp_path / 'run' / 'report.html'}"
    assert "\x1b" not in done.stdout


def test_quiet_prints_the_result_alone(tmp_path: Path) -> None:
    done = neocog("train", "digits", "--model", "mlp", "--epochs", 1, "--out", tmp_path / "run", "-q")
    assert len(done.stdout.splitlines()) == 3


def test_json_is_all_of_stdout(tmp_path: Path, run: Path) -> None:
    done = neocog("train", "digits", "--model", "mlp", "--epochs", 1, "--out", tmp_path / "run", "--json")
    found = json.loads(done.stdout)
    assert found["run"] == str(tmp_path / "run")
    assert found["test"]["count"] == 359
    assert "epoch 1/1" in done.stderr
    again = json.loads(neocog("evaluate", tmp_path / "run", "--json").stdout)
    assert again["accuracy"] == found["test"]["accuracy"]
    assert again["low"] < again["accuracy"] < again["high"]


def test_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        done = neocog("train", "digits", "--model", "mlp", "--epochs", 1)
        assert f"report runs/digits-{number}/report.html" in done.stdout
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"digits-1", "digits-2"}


def test_evaluating_prints_a_table(run: Path) -> None:
    done = neocog("evaluate", run)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert "on the 359 test images of the run" in lines[0]
    assert lines[2].split() == ["class", "precision", "recall", "F1", "images"]
    assert len(lines) == 13
    assert len(neocog("evaluate", run, "--quiet").stdout.splitlines()) == 1


def test_predicting_prints_a_table(run: Path, pictures: Path) -> None:
    done = neocog("predict", run, pictures)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["file", "class", "confidence"]
    assert any("b [red], 한글.png" in line for line in lines)
    assert len(lines) == 4


def test_predictions_as_json_and_csv_agree(run: Path, pictures: Path) -> None:
    files = sorted(pictures.iterdir())
    found = json.loads(neocog("predict", run, *files, "--json").stdout)
    assert found["broken"] == []
    table = list(csv.DictReader(io.StringIO(neocog("predict", run, *files, "--csv").stdout)))
    for file, item, row in zip(files, found["predictions"], table, strict=True):
        assert item["file"] == row["file"] == str(file)
        assert item["class"] == row["class"]
        assert item["confidence"] == pytest.approx(float(row["confidence"]), abs=1e-5)
        assert sum(item["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert max(item["probabilities"], key=item["probabilities"].get) == item["class"]


def test_broken_images_are_told_and_the_others_answered(run: Path, pictures: Path) -> None:
    (pictures / "empty.png").write_bytes(b"")
    done = neocog("predict", run, pictures, pictures / "none.png", "--csv")
    assert done.exit_code == 2
    assert len(done.stdout.splitlines()) == 4
    errors = done.stderr.splitlines()
    assert errors == [
        f"error: {pictures / 'empty.png'}: an empty file (0 bytes)",
        f"error: {pictures / 'none.png'}: no such file",
    ]


BAD = [
    (("train", "nowhere"), "nowhere: expected a folder of images or a data set"),
    (("train", "digit"), "Did you mean 'digits'?"),
    (("train", "digits", "--model", "mpl"), "Did you mean 'mlp'?"),
    (("train", "digits", "--image-size", "wide"), "--image-size: expected pixels a side"),
    (("train", "digits", "--image-size", "99999"), "from 4 to 4096 pixels"),
    (("train", "digits", "--epochs", "0"), "epochs to be a whole number of 1 or more, got 0"),
    (("train", "digits", "--out", "."), "expected a new or empty folder"),
    (("evaluate", "nowhere"), "nowhere: expected the folder of a run, got no such folder"),
    (("evaluate", "."), "got a folder without config.json"),
    (("predict", "nowhere", "a.png"), "nowhere: expected the folder of a run"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: tuple[str, ...], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("x")
    done = neocog(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert text in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("trian", "digits"),
        ("train",),
        ("train", "digits", "--epoch", "3"),
        ("train", "digits", "--seed", "x"),
    ],
)
def test_usage_is_checked_too(arguments: tuple[str, ...]) -> None:
    done = neocog(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_a_traceback_is_shown_when_asked() -> None:
    plain, asked = neocog("evaluate", "nowhere"), neocog("evaluate", "nowhere", "--traceback")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in asked.stderr
    assert asked.exit_code == 2
    assert asked.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1]


def test_json_and_csv_exclude_each_other(run: Path) -> None:
    done = neocog("predict", run, "a.png", "--json", "--csv")
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyError("x"), 1, "error: a fault in neocog (KeyError: 'x')"),
        (MemoryError(), 2, "Lower --batch-size"),
        (RuntimeError("CUDA out of memory. Tried …"), 2, "Lower --batch-size"),
        (OSError(28, "No space left on device", "runs/x"), 2, "runs/x: No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_other_errors_have_codes(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert guarded(work, show_traceback=False) == code
    assert text in capsys.readouterr().err


def test_sizes() -> None:
    assert parse_size(None) is None
    assert parse_size(" 96 ") == (96, 96)
    assert parse_size("96x128") == parse_size("96×128") == parse_size("96X128") == (96, 128)
    for text in ("", "x", "96x", "-3", "9.5", "1x2x3"):
        with pytest.raises(ArgumentError, match="--image-size"):
            parse_size(text)


def test_texts_that_no_terminal_should_see() -> None:
    assert printable("a\udcff\x1b[31m\u202eb") == "a?\ufffd[31m\ufffdb"
    assert printable("고양이 → 개") == "고양이 → 개"
    assert [clock(seconds) for seconds in (0, 59.6, 3600)] == ["0:00", "1:00", "1:00:00"]


def test_a_terminal_gets_a_live_line() -> None:
    from rich.console import Console

    from neocog.workflows import EpochDone, StepsDone

    view = TrainingView()
    view.console = Console(file=io.StringIO(), force_terminal=True, width=100, markup=False, highlight=False)
    with view:
        step = StepsDone(epoch=1, epochs=3, step=5, steps=9, values={"loss": 0.5}, seconds_left=75.0)
        view(step)
        assert view._bar is not None
        view._bar.refresh()
        view(EpochDone(epoch=1, epochs=3, values={"loss": 0.25}, seconds=2.0, best=True))
    shown = view.console.file.getvalue()  # type: ignore[attr-defined]
    assert "5/9" in shown
    assert "at most 1:15 left" in shown
    assert "loss 0.2500" in shown


def test_a_pipe_that_closes_is_no_error(run: Path) -> None:
    command = f"'{sys.executable}' -m neocog.cli predict '{run}' '{run}/curves.png' --json | true"
    code = "import sys; from neocog.cli import main; main()"
    command = command.replace("-m neocog.cli", f'-c "{code}"')
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_ctrl_c_keeps_the_run(tmp_path: Path) -> None:
    code = "from neocog.cli import main; main()"
    arguments = ["train", "digits", "--model", "mlp", "--epochs", "3000", "--out", "run"]
    # Python's own handler, also where the tests run in the background, which ignores the signal
    started = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + code
    with subprocess.Popen(
        [sys.executable, "-u", "-c", started, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if re.match(r"epoch +2/", line):
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "keeping the best weights so far" in errors
    assert "test accuracy" in rest
    assert neocog("evaluate", tmp_path / "run").exit_code == 0
