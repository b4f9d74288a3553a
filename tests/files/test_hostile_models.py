"""Every hostile file is refused with one clear sentence: quickly, in little memory, touching nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_files import cases
from hostile_parts import Case

import neocog

NAMES = [
    f"{case.name}{case.suffix}-{case.opened}" for case in cases(Path("/nowhere/canary"), Path("/nowhere/s"))
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Open all files in one child process, and look at the folder around them before and after."""
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "inside"
    folder.mkdir()
    secret = outside / "secret.h5"
    secret.write_bytes(b"secret")
    found = cases(outside / "canary", secret)
    for number, case in enumerate(found):
        (folder / f"{number}{case.suffix}").write_bytes(case.data)
    listed = [{"file": f"{number}{case.suffix}", "opened": case.opened} for number, case in enumerate(found)]
    (folder / "cases.json").write_text(json.dumps(listed))
    command = [sys.executable, str(Path(__file__).with_name("hostile_child.py")), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(neocog.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(found)
    return {
        "left": sorted(path.name for path in outside.iterdir()),
        "results": {name: (case, result) for name, case, result in zip(NAMES, found, results, strict=True)},
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused(name: str, opened: dict[str, Any]) -> None:
    case, result = opened["results"][name]
    assert isinstance(case, Case)
    assert result["own"], f"{result['error']}: {result['text']}"
    assert re.search(case.says, result["text"]), result["text"]
    assert "\n" not in result["text"]
    assert len(result["text"]) < 900
    assert result["did"] == []
    assert result["bytes"] < 200e6
    assert result["s"] < 1.0 * float(os.environ.get("NEOCOG_TEST_SLOWDOWN", "5"))


def test_nothing_was_left_outside_the_folder(opened: dict[str, Any]) -> None:
    assert opened["left"] == ["inside", "secret.h5"]


def test_most_are_refused_in_well_under_a_second(opened: dict[str, Any]) -> None:
    times = sorted(result["s"] for _, result in opened["results"].values())
    assert times[len(times) * 9 // 10] < 1.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Case]]:
    """What a file that springs would leave, and all cases: making them takes longer than opening them."""
    folder = tmp_path_factory.mktemp("made")
    return folder / "canary", cases(folder / "canary", folder)


@pytest.mark.parametrize("safe_mode", [True, None, False])
def test_cve_2026_12481_no_value_of_safe_mode_runs_code(
    safe_mode: bool | None, made: tuple[Path, list[Case]], tmp_path: Path
) -> None:
    from neocog.exceptions import FileFormatError
    from neocog.models import load_model

    canary, found = made
    hostile = next(case for case in found if case.name == "cve_2024_3660")
    (tmp_path / "m.keras").write_bytes(hostile.data)
    with pytest.raises(FileFormatError, match="Lambda with code"):
        load_model(tmp_path / "m.keras", safe_mode=safe_mode)
    assert not canary.exists()


def test_the_lambda_would_have_sprung(tmp_path: Path) -> None:
    import base64
    import marshal
    import types

    from hostile_parts import code

    body = marshal.loads(base64.b64decode(code(tmp_path / "canary")))  # noqa: S302 - our own
    types.FunctionType(body, globals())(1)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "name", ["cve_2024_3660", "cve_2025_1550_os", "cve_2025_12058_etc", "units", "spoofed_module"]
)
def test_from_config_refuses_it_too(name: str, made: tuple[Path, list[Case]]) -> None:
    from neocog.exceptions import NeocogError
    from neocog.layers import deserialize
    from neocog.models import Sequential, model_from_config

    text = next(case.data for case in made[1] if case.name == name and case.opened == "model_from_json")
    config = json.loads(text)
    for make in (model_from_config, deserialize, lambda config: Sequential.from_config(config["config"])):
        with pytest.raises(NeocogError):
            make(config)
    assert not made[0].exists()
