# SPDX-License-Identifier: BSD-3-Clause
"""Two runs side by side: the JSON of an earlier one, and what was measured now.

Rows are compared with rows of the same case, peer and phase. Medians are only comparable on the
same machine; ratios to a peer survive a change of machine better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import BenchError
from bench.report import FORMAT, Row


def load(path: Path) -> dict[str, Any]:
    """An earlier run's document; BenchError says why it is none."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BenchError(f"--compare {path}: {error}; give a file that --json wrote") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BenchError(f"--compare {path}: it is no result of `./dev bench` of format {FORMAT}")
    return document


def compare(old: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """One line for each row that both runs have."""
    before = {(row["case"], row["peer"], row["phase"]): row for row in old["rows"]}
    lines = [
        f"{'case':<16} {'peer':<8} {'CPUs':<5} {'before':>14} {'now':>14} {'change':>8}"
        f" {'times ours, before':>19} {'now':>6}"
    ]
    for row in rows:
        earlier = before.get(row.key)
        if earlier is not None:
            lines.append(_line(row, earlier))
    if len(lines) == 1:
        return "Nothing to compare: the two runs have no case, peer and phase in common."
    return "\n".join(lines)


def _line(row: Row, earlier: Mapping[str, Any]) -> str:
    was = _median(earlier["value"] or earlier["value_all"])
    value = row.value or row.value_all
    now = value.median if value else None
    change = f"{100 * (now / was - 1):+.1f} %" if now is not None and was else "-"
    ratio_was = _median(earlier["ratio"] or earlier["ratio_all"])
    ratio = row.ratio or row.ratio_all
    return (
        f"{row.case:<16} {row.peer:<8} {row.phase:<5} {_text(was, 1):>14} {_text(now, 1):>14}"
        f" {change:>8} {_text(ratio_was, 2):>19} {_text(ratio.median if ratio else None, 2):>6}"
    )


def _median(values: Mapping[str, float] | None) -> float | None:
    return values["median"] if values else None


def _text(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"
