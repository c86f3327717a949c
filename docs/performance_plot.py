# SPDX-License-Identifier: BSD-3-Clause
"""Draws the tables of performance.md: `PYTHONPATH=.:python:tests python3 docs/performance_plot.py`.

Run it when the tables have changed, and commit performance.svg with them. It is the picture that
`./dev bench` makes of its own run, here of the figures on the page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterator, Optional

from bench import plot
from bench.report import Row
from bench.statistics import Spread

PAGE = Path(__file__).with_name("performance.md")
PICTURE = PAGE.with_suffix(".svg")
UNITS = {"cycles a frame": "cycles/frame", "frames/s": "frames/s"}
SUBTITLE = (
    "medians, of the cases too; figures of performance.md: "
    "one virtual machine, 2 CPUs (AMD Zen 4), near"
)


def number(cell: str) -> Optional[Spread]:
    """A median alone; None: not measured."""
    match = re.fullmatch(r"(?:≤ )?([0-9.,]+)( M)?", cell)
    if match is None:
        return None
    value = float(match[1].replace(",", "")) * (1e6 if match[2] else 1)
    return Spread(value, value, value, 1)


def ratio(cell: str) -> Optional[Spread]:
    match = re.match(r"\*\*([0-9.]+)\*\* \(([0-9.]+) to ([0-9.]+), ([0-9]+)\)", cell)
    if match is None:
        return None
    return Spread(float(match[1]), float(match[2]), float(match[3]), int(match[4]))


def rows(text: str) -> Iterator[Row]:
    """Of the tables that have ours, `io` and OVS-DPDK in one row."""
    unit = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "case":
            words = cells[1].partition("ours, ")[2]
            unit = UNITS.get(words, "") if len(cells) == 7 else ""
        if not unit or len(cells) != 7 or not cells[0].startswith("`"):
            continue
        case, limit = cells[0].strip("`"), cells[6]
        for peer, value, times in (
            ("vswitch", cells[1], "-"), ("testpmd", cells[2], cells[3]), ("ovs", *cells[4:6])
        ):
            if number(value) is not None:
                yield Row(case, peer, "near", unit, number(value), None, None, limit,
                          ratio(times), None, None, None)


def picture() -> str:
    return plot.svg(list(rows(PAGE.read_text())), SUBTITLE)


if __name__ == "__main__":
    PICTURE.write_text(picture())
    sys.stdout.write(f"wrote {PICTURE}\n")
