"""Open thousands of mutated model files: `python tests/files/fuzz.py --count 20000 --format keras`.

Every file must be opened or refused with an error of neocog's own. Crashes, hangs and other exceptions are
listed with the file's number; `--show NUMBER --out FILE` writes that file.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from fuzzing.mutate_files import FORMATS, mutated
from fuzzing.run import fuzz


def main() -> int:
    """Run, print what was found, and return 1 if something was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--format", choices=(*FORMATS, "all"), default="all")
    parser.add_argument("--show", type=int)
    parser.add_argument("--out", type=Path, default=Path("mutated"))
    options = parser.parse_args()
    if options.show is not None:
        from fuzzing.seeds import seeds

        from neocog.layers import LAYERS

        classes = [*LAYERS.names(), "TFSMLayer", "eval", "Adam", "MeanSquaredError"]
        options.out.write_bytes(mutated(options.format, seeds(options.format), options.show, classes))
        return 0
    found = 0
    for kind in FORMATS if options.format == "all" else (options.format,):
        began = time.perf_counter()
        report = fuzz(kind, options.count, options.first)
        print(
            f"{kind}: {options.count} files in {time.perf_counter() - began:.0f} s: {dict(report.outcomes)}"
        )
        print(f"  slowest: number {report.slowest_number}, {report.slowest:.1f} s")
        for number, text in report.findings:
            print(f"  number {number}: {text}")
        found += len(report.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
