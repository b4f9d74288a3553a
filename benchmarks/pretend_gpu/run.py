"""Runs a program or tests on a pretended GPU: the paths that a GPU takes, with the CPU's kernels and numbers.

    python benchmarks/pretend_gpu/run.py -m pytest tests/gpu
    python benchmarks/pretend_gpu/run.py program.py its arguments

For a torch built without CUDA, on Linux, with g++; the library is built once (a minute). It says whether
devices are mixed, whether a step waits for the GPU (`torch.utils._python_dispatch` sees every operation),
whether recorded and eager steps agree. It says nothing of CUDA's own kernels, memory, streams or speed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
PROGRAM = (
    "import pretended, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


def library() -> Path:
    """Return the library for this torch, built if it is not there."""
    place = HERE / "build" / f"torch-{torch.__version__}" / "libpretended.so"
    if place.exists() and place.stat().st_mtime >= (HERE / "cuda.cpp").stat().st_mtime:
        return place
    home = Path(torch.__file__).parent
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_suffix(f".{os.getpid()}")
    include = [f"-I{home / 'include' / part}" for part in ("", "torch/csrc/api/include")]
    link = [f"-L{home / 'lib'}", "-ltorch", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{home / 'lib'}"]
    command = [
        "g++",
        "-std=c++20",
        "-O0",
        "-shared",
        "-fPIC",
        *include,
        str(HERE / "cuda.cpp"),
        "-o",
        str(new),
    ]
    subprocess.run([*command, *link], check=True)
    os.replace(new, place)
    return place


def main() -> None:
    """Build, and become Python with the library in front."""
    arguments = sys.argv[1:]
    if not arguments or torch.version.cuda is not None:
        raise SystemExit(__doc__ if not arguments else "run.py: this torch knows CUDA itself.")
    path = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {"LD_PRELOAD": str(library()), "PYTHONPATH": os.pathsep.join(path)}
    tests = arguments[:2] == ["-m", "pytest"]
    rest = ["-m", "pytest", "-p", "pretended", *arguments[2:]] if tests else ["-c", PROGRAM, *arguments]
    os.execv(sys.executable, [sys.executable, *rest])


if __name__ == "__main__":
    main()
