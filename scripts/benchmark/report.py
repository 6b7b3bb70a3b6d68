"""What is printed: method, inputs, figures, targets, and how the cost grows with the ledger."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from benchmark.figures import GROUPS, LABELS, Figures
from benchmark.inputs import Inputs
from benchmark.targets import Target

METHOD: Final = """
Every figure is measured in a fresh process whose clock starts after its imports, on files that are in the page cache.
A round runs every alternative once, in order and backwards by turns, and those that append take turns of a few
entries each, so that drift of the machine hits all alike. Shown are medians of the rounds; a ratio is the median of
the rounds' own ratios; best is the fastest round, which others on the machine disturbed least. A scan's figure is the
median of 3 passes. All alternatives to one thing must come to the same fingerprints, or the run stops. Appending
includes closing the file (the last checkpoint). With two processes the start of the second Python is in the figure. A
command's figure is everything from the start of Python to its end. Memory is the resident memory of the process and
all it started, added up every 20 ms; pages they share count twice. The stock path reads whole patients with at most
50,000 entries, and is compared with ours on the same entries.
""".strip()
WIDE: Final = 66
HEADS: Final = ("pieces", "median", "each", "best", "a second", "spread", "peak")


def method_and_inputs(about: dict[str, Any]) -> Iterator[str]:
    yield "== Method"
    yield METHOD
    yield ""
    yield "== Inputs"
    yield from (f"{name}: {value}" for name, value in about.items())


def about_machine(seed: int, runs: int) -> dict[str, Any]:
    """What the figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "load before": load(),
        "seed": seed,
        "runs": runs,
    }


def load() -> str:
    """How many processes wanted to run in the last 1, 5 and 15 minutes: above the cores, figures suffer."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def about_ledger(inputs: Inputs) -> str:
    made = inputs.made
    rate = made["lines"] / made["intake_seconds"]
    return (
        f"{inputs.entries:,} events of {made['episodes']:,} simulated episodes, {made['ledger_bytes'] / 2**20:,.0f} MB;"
        f" made of {made['lines']:,} lines of intake at {rate:,.0f} a second with {made['intake_peak_mb']:,.0f} MB"
    )


def figures_table(figures: Figures) -> Iterator[str]:
    for group, title in GROUPS.items():
        keys = [key for key in figures.measured() if key.startswith(f"{group}.")]
        if not keys:
            continue
        yield ""
        yield title
        yield f"{'':{WIDE}}" + "".join(f" {head:>11}" for head in HEADS)
        whole = sum(figures.each(key) or 0 for key in keys)
        for key in keys:
            share = f"{(figures.each(key) or 0) / whole:8.0%}" if group == "p" else None
            yield _line(figures, key, share)


def _line(figures: Figures, key: str, share: str | None) -> str:
    each = figures.each(key) or 0.0
    rows = figures.rows[key]
    costs = sorted(row.each for row in rows)
    spread = share or f"±{(costs[-1] - costs[0]) / 2 / each:.0%}" if each else ""
    peak = figures.peak_mb(key)
    rate = f"{1 / each:,.0f}" if each > 0 else ""
    cells = [
        f"{rows[0].count:,}", _span(each * rows[0].count), _span(each), _span(costs[0]), rate, spread.strip(),
        "" if peak is None else f"{peak:,.0f} MB",
    ]  # fmt: skip
    return f"{LABELS[key]:{WIDE}}" + "".join(f" {cell:>11}" for cell in cells)


def _span(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if abs(seconds) >= size:
            return f"{seconds / size:,.2f} {unit}"
    return f"{seconds * 1e6:,.2f} µs"


def targets_table(found: Sequence[Target]) -> Iterator[str]:
    yield ""
    yield "Targets"
    for target in found:
        wanted = f"{'at least' if target.at_least else 'at most'} {target.limit:,.3g}"
        value = "" if target.found is None else f"{target.found:,.3g} {target.unit}"
        yield f"{target.name:{WIDE}} {value:>24}   {wanted:28} {target.verdict}"


def growth_table(sizes: Sequence[tuple[int, Figures]]) -> Iterator[str]:
    """How much more one piece costs in the larger ledgers than in the smallest."""
    base_entries, base = sizes[0]
    yield ""
    yield f"Cost of one piece against that with {base_entries:,} events"
    yield f"{'':{WIDE}} " + " ".join(f"{entries:>12,}" for entries, _ in sizes[1:])
    for key in base.measured():
        cost = base.each(key)
        others = [figures.each(key) for _, figures in sizes[1:]]
        if cost and None not in others:
            yield f"{LABELS[key]:{WIDE}} " + " ".join(f"{(other or 0) / cost:>12.2f}" for other in others)


def growth_json(sizes: Sequence[tuple[int, Figures]]) -> dict[str, dict[str, float]]:
    _, base = sizes[0]
    return {
        key: {str(entries): (figures.each(key) or 0) / cost for entries, figures in sizes[1:] if key in figures.rows}
        for key in base.measured()
        if (cost := base.each(key))
    }
