"""Suite `transfer`: cats and dogs on a pretrained MobileNet, by the command as users type it, caches cold.

Wall time is of the whole command, from the process's start to its end; CPU time beside it says what other
programs on the machine took no part in. Accuracies are those of the run's `metrics.json`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def run(**_: Any) -> list[dict[str, Any]]:
    """Run the suite: once with all caches cold, once with the features kept."""
    data = Path(os.environ.get("NEOCOG_DATA", ""))
    weights = data / "weights" / "mobilenet_v1_0.75_224_imagenet.safetensors"
    photos = data / "cats-vs-dogs"
    if not weights.is_file() or not photos.is_dir():
        raise SystemExit("transfer: set NEOCOG_DATA to the folder that holds cats-vs-dogs and weights.")
    with tempfile.TemporaryDirectory() as folder:
        return [
            _row("cold", photos, weights, Path(folder)),
            _row("features kept", photos, weights, Path(folder)),
        ]


def _row(title: str, photos: Path, weights: Path, folder: Path) -> dict[str, Any]:
    out = folder / title.replace(" ", "-")
    command = [sys.executable, "-c", "from neocog.cli import main; main()", "train", str(photos)]
    command += ["--model", "mobilenet", "--weights", str(weights), "--out", str(out), "--quiet"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "NEOCOG_HOME": str(folder / "home")})
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["transfer"]
    head, top = found["feature_extraction_alone"], found["fine_tuning"]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "caches": title,
        "wall s": round(wall, 1),
        "CPU s": round(cpu, 1),
        "features alone: validation": f"{head['validation']['accuracy']:.4f}",
        "features alone: test": f"{head['test']['accuracy']:.4f}",
        "fine-tuned: validation": f"{top['validation']['accuracy']:.4f}" if top else "",
        "fine-tuned: test": f"{top['test']['accuracy']:.4f}" if top else "",
        "kept": "fine-tuned" if top and top["kept"] else "features alone",
        "epoch through the base s": f"{found['seconds']['epoch_through_base']:.2f}",
        "epoch on features s": f"{found['seconds']['epoch_on_features']:.3f}",
        "times": f"{found['seconds']['times_faster']:.0f}",
    }
