"""Who takes part, and how each is started."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amx
from cases import Case
from environments import PEERS, Absent, python_of

BACKENDS = ("torch", "tensorflow", "jax")
LARGE_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Competitor:
    """One process of a contest.

    Attributes:
        name: how the results call it.
        family: "neocog", "eager", "tuned" or "keras".
        precision: "float32" or "bfloat16".
        script: file in `peers/`.
        request: what the process is told besides the case.
        backend: of Keras; the environment that it runs in.
        compiles: whether a C++ compiler must be at hand.
    """

    name: str
    family: str
    precision: str
    script: str
    request: dict[str, Any] = field(default_factory=dict)
    backend: str | None = None
    compiles: bool = False

    def command(self) -> list[str]:
        """Return the command line.

        Raises:
            Absent: where this machine cannot run it.
        """
        if self.compiles and not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
            raise Absent("torch.compile needs a C++ compiler")
        python = python_of(self.backend) if self.backend else sys.executable
        return [python, str(PEERS / self.script)]

    def environment(self, scratch: Path) -> dict[str, str]:
        """Return the process's environment variables."""
        found = {**os.environ, "BENCH_SCRATCH": str(scratch), "TF_CPP_MIN_LOG_LEVEL": "3"}
        found.pop("NEOCOG_CACHE_GB", None)
        found.pop("KERAS_BACKEND", None)
        if self.backend:
            found["KERAS_BACKEND"] = self.backend
        return found | amx.variables()


def all_of(case: Case) -> list[Competitor]:
    """Return everyone who takes part in a case, neocog first."""
    found = [_neocog("neocog", "float32")]
    if case.verb != "fit":  # `fit` chooses its precision, these wait to be asked
        found.append(_neocog("neocog-bf16", "bfloat16"))
    found.append(_bare("eager", "float32", style="eager"))
    found += _tuned_photos() if case.files else _tuned(case)
    for backend in BACKENDS:
        found += [_keras(backend, "float32"), _keras(backend, "bfloat16")]
        if case.files and backend != "torch":  # augmentation in tf.data, as the book's third edition has it
            found += [_keras(backend, "float32", mapped=True), _keras(backend, "bfloat16", mapped=True)]
    return found


def chosen(case: Case, names: str | None) -> list[Competitor]:
    """Return those that `--competitors` names: full names, or how several begin ("tuned,keras-jax").

    Raises:
        SystemExit: where a name fits nobody.
    """
    everyone = all_of(case)
    if not names:
        return everyone
    known = {competitor.name for competitor in everyone}
    found: set[str] = set()
    for name in names.split(","):
        fitting = {name} & known or {each for each in known if each.startswith(name + "-")}
        if not fitting:
            raise SystemExit(f"--competitors: expected some of {', '.join(sorted(known))}, got {name!r}")
        found |= fitting
    return [competitor for competitor in everyone if competitor.name in found]


def _neocog(name: str, precision: str) -> Competitor:
    policy = "float32" if precision == "float32" else f"mixed_{precision}"
    request = {"library": "neocog", "precision": policy}
    return Competitor(name=name, family="neocog", precision=precision, script="worker.py", request=request)


def _keras(backend: str, precision: str, mapped: bool = False) -> Competitor:
    short = "f32" if precision == "float32" else "bf16"
    policy = "float32" if precision == "float32" else f"mixed_{precision}"
    return Competitor(
        name=f"keras-{backend}-{short}" + ("-map" if mapped else ""),
        family="keras",
        precision=precision,
        script="worker.py",
        request={"library": "keras", "precision": policy, "mapped": mapped},
        backend=backend,
    )


def _bare(name: str, precision: str, **request: Any) -> Competitor:
    family = "eager" if request["style"] == "eager" else "tuned"
    request = {"precision": precision, **request}
    compiles = bool(request.get("compile"))
    return Competitor(
        name=name, family=family, precision=precision, script="bare.py", request=request, compiles=compiles
    )


def _tuned(case: Case) -> list[Competitor]:
    found = []
    for compiled in (False, True):
        for short, precision in (("f32", "float32"), ("bf16", "bfloat16")):
            name = f"tuned-{short}" + ("-compile" if compiled else "")
            found.append(_bare(name, precision, style="tuned", compile=compiled))
            if case.batch is None and not compiled:
                rest = {"style": "tuned", "batch": LARGE_BATCH}
                found.append(_bare(f"{name}-large", precision, **rest))
    return found


def _tuned_photos() -> list[Competitor]:
    """Compilation is measured on the same network in memory: here it would be the same again."""
    return [
        _bare(f"tuned-{short}-{way}", precision, style="tuned", kept=way == "kept")
        for short, precision in (("f32", "float32"), ("bf16", "bfloat16"))
        for way in ("decoded", "kept")
    ]
