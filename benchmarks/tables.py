"""Rows as Markdown."""

from __future__ import annotations

import statistics
from typing import Any

Rows = list[dict[str, Any]]
_RATIOS = {
    "tuned PyTorch": "against tuned PyTorch",
    "eager PyTorch": "against eager PyTorch",
    "Keras, float32": "against Keras in float32",
    "Keras, fastest": "against Keras at its fastest",
}


def as_table(rows: Rows) -> str:
    """Return rows as a Markdown table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        lines.append("| " + " | ".join(cell(row.get(column, "")) for column in columns) + " |")
    return "\n".join(lines)


def cell(value: Any) -> str:
    """Return a value as a cell."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"
    return str(value)


def contest_tables(rows: Rows) -> str:
    """Return the tables of a contest: ratios, speeds, memory, who was absent."""
    cases = [row for row in rows if "samples a second" in row]
    parts = []
    if cases:
        parts += [
            _ratios(cases),
            _median_line(cases),
            "Samples a second, median of the rounds:",
            _speeds(cases),
        ]
        parts += ["Peak memory of each process, MB:", _nested(cases, "peak MB")]
        parts += ["Seconds to trace and compile:", _nested(cases, "compile s")]
        parts += [_peaks(cases), _absent(cases)]
    overheads = [row for row in rows if "µs" in row]
    if overheads:
        parts += ["Microseconds a step:", as_table([_overhead(row) for row in overheads])]
    return "\n\n".join(part for part in parts if part)


def _ratios(cases: Rows) -> str:
    """The table of ratios: how many times faster than each, median of the rounds, and from … to."""
    found = []
    for row in cases:
        line: dict[str, Any] = {"case": row["title"], "batch": row["batch"]}
        line["neocog, samples/s"] = row["samples a second"].get("neocog", {}).get("median", "")
        for title, key in _RATIOS.items():
            line[title] = _ratio(row.get(key))
        if "neocog-bf16" in row:
            line["in bfloat16: tuned PyTorch"] = _ratio(row["neocog-bf16"].get(_RATIOS["tuned PyTorch"]))
            line["in bfloat16: Keras, fastest"] = _ratio(row["neocog-bf16"].get(_RATIOS["Keras, fastest"]))
        line["memory, of tuned PyTorch's"] = _two(row.get("memory against tuned PyTorch"))
        line["of the float32 peak"] = _percent(row.get("share of the float32 peak"))
        line["of the bfloat16 peak"] = _percent(row.get("share of the bfloat16 peak"))
        found.append(line)
    return as_table(found)


def _ratio(value: dict[str, Any] | None) -> str:
    if not value:
        return ""
    who = value["who"].removeprefix("tuned-").removeprefix("keras-")
    return f"{value['median']:.2f} ({value['min']:.2f} to {value['max']:.2f}; {who})"


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def _median_line(cases: Rows) -> str:
    """The medians and the smallest ratios over the cases."""
    sentences = []
    for title, key in _RATIOS.items():
        values = [row[key]["median"] for row in cases if key in row]
        if values:
            sentences.append(f"{title}: median {statistics.median(values):.2f}, least {min(values):.2f}")
    return "Over the cases, against " + "; ".join(sentences) + "." if sentences else ""


def _speeds(cases: Rows) -> str:
    names = list(dict.fromkeys(name for row in cases for name in row["samples a second"]))
    found = []
    for row in cases:
        line: dict[str, Any] = {"case": row["case"]}
        for name in names:
            spread = row["samples a second"].get(name)
            line[name] = "" if spread is None else _speed(spread["median"])
        found.append(line)
    return as_table(found)


def _speed(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _nested(cases: Rows, key: str) -> str:
    names = list(dict.fromkeys(name for row in cases for name in row[key]))
    return as_table([{"case": row["case"], **{n: row[key].get(n, "") for n in names}} for row in cases])


def _peaks(cases: Rows) -> str:
    peak = cases[-1]["peak"]
    parts = [f"{name} {value / 1e9:,.0f} G" for name, value in peak.items()]
    return "Measured peak of the machine: " + ", ".join(parts) + "."


def _absent(cases: Rows) -> str:
    found = dict.fromkeys(
        f"- {row['case']}, {name}: {reason}" for row in cases for name, reason in row["absent"].items()
    )
    return "Absent:\n\n" + "\n".join(found) if found else ""


def _overhead(row: dict[str, Any]) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in row["µs"].items()}
    keys = ("over the bare step", "over a torch module's", "a call of fit with one step, ms")
    rest = {key: row[key] for key in keys}
    return {"case": row["title"], **medians, **rest}
