# SPDX-License-Identifier: BSD-3-Clause
"""An SVG of the medians, one panel for each unit: bars by case and peer, with their spread.

The title is the result in one sentence, and each panel says which way is better.

Written by hand, so that no plotting library is needed. Colours and text follow the viewer's light
or dark scheme. Only one phase is drawn of a case: near where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from xml.sax.saxutils import escape

from bench.cases import CASES
from bench.peers import OURS, PEERS
from bench.report import Row
from bench.statistics import Spread

WIDTH = 960
LEFT, RIGHT, TOP = 150, 90, 46
BAR, BAR_GAP, CASE_GAP = 14, 2, 14
AXIS, PANEL_GAP = 40, 30
LEGEND = 40
TICKS = 5

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #222; }
  .title { font-size: 15px; font-weight: 600; }
  .grid { stroke: #ddd; } .axis { stroke: #555; } .spread { stroke: #222; stroke-width: 1.5; }
  .back { fill: #fff; }
  .peer0 { fill: #1f77b4; } .peer1 { fill: #e69f00; }
  .peer2 { fill: #7a7a7a; } .peer3 { fill: #2a9d5c; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd; } .back { fill: #16181c; }
    .grid { stroke: #33373d; } .axis { stroke: #999; } .spread { stroke: #eee; }
    .peer0 { fill: #58a6ff; } .peer1 { fill: #f0b429; }
    .peer2 { fill: #9aa0a6; } .peer3 { fill: #4fc98a; }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One bar: its case as the axis names it, and its values."""

    case: str
    peer: str
    values: Spread


def drawn_rows(rows: Sequence[Row]) -> list[Row]:
    """Each case once, with the CPUs near where that was seen."""
    phase = {row.case: row.phase for row in reversed(rows)}
    return [row for row in rows if row.phase == phase[row.case]]


def less_is_better(row: Row) -> bool:
    return CASES[row.case].measurement.metric.less_is_better


def headline(rows: Sequence[Row]) -> str:
    """The result: how ours compares in the first panel, as the median of its cases."""
    drawn = drawn_rows(rows)
    first = [row for row in drawn if row.unit == drawn[0].unit]
    parts = []
    for peer in PEERS:
        ratios = [row.ratio or row.ratio_all for row in first if row.peer == peer]
        known = [ratio.median for ratio in ratios if ratio is not None]
        if known and peer != OURS:
            parts.append(f"{median(known):.1f} times as well as {PEERS[peer].title}")
    if not parts:
        return f"{PEERS[OURS].title} and others compared"
    what = {"cycles/frame": "Cycles a frame"}.get(first[0].unit, first[0].unit)
    return f"{what}: {PEERS[OURS].title} does {', '.join(parts)}"


def bars_by_unit(rows: Sequence[Row]) -> dict[str, list[Bar]]:
    panels: dict[str, list[Bar]] = {}
    for row in drawn_rows(rows):
        values = row.value or row.value_all
        if values is not None:
            label = row.case + (" (far)" if row.phase == "far" else "")
            panels.setdefault(row.unit, []).append(Bar(label, row.peer, values))
    return panels


def nice_step(highest: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that makes at most TICKS of them."""
    rough = max(highest, 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def svg(rows: Sequence[Row], subtitle: str) -> str:
    y = float(TOP + LEGEND)
    body: list[str] = []
    lower = {row.unit for row in rows if less_is_better(row)}
    title = headline(rows)
    for unit, bars in bars_by_unit(rows).items():
        better = "lower" if unit in lower else "higher"
        panel, y = _panel(f"{unit}: {better} is better", unit, bars, y)
        body += panel
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}"'
        f' width="{WIDTH}" height="{y:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{y:.0f}"/>',
        _text(20, 24, title, "title"),
        _text(20, 42, subtitle),
        *_legend(sorted({row.peer for row in rows}, key=list(PEERS).index)),
    ]
    return "\n".join([*head, *body, "</svg>"]) + "\n"


def _legend(peers: Sequence[str]) -> list[str]:
    lines, x = [], 20.0
    for peer in peers:
        lines.append(f'<rect class="{_colour(peer)}" x="{x:.0f}" y="56" width="14" height="14"/>')
        lines.append(_text(x + 20, 68, PEERS[peer].title))
        x += 40 + 8 * len(PEERS[peer].title)
    return lines


def _colour(peer: str) -> str:
    return f"peer{list(PEERS).index(peer) % 4}"


def _panel(name: str, unit: str, bars: Sequence[Bar], top: float) -> tuple[list[str], float]:
    """Elements of a panel, and where the next begins."""
    highest = max(bar.values.high for bar in bars)
    step = nice_step(highest)
    end = step * max(1, math.ceil(highest / step))
    scale = (WIDTH - LEFT - RIGHT) / end
    drawn: list[str] = []
    y, case = top + 24, ""
    for bar in bars:
        if bar.case != case:
            y += CASE_GAP if case else 4
            case = bar.case
            drawn.append(_text(LEFT - 8, y + BAR - 3, case, anchor="end"))
        drawn += _bar(bar, y, scale)
        y += BAR + BAR_GAP
    y += 6
    title = _text(20, top + 12, name, "title")
    return [title, *_axis(top + 24, y, step, end, scale, unit), *drawn], y + AXIS + PANEL_GAP


def _bar(bar: Bar, y: float, scale: float) -> list[str]:
    values = bar.values
    middle = y + BAR / 2
    low, high = LEFT + values.low * scale, LEFT + values.high * scale
    drawn = [
        f'<rect class="{_colour(bar.peer)}" x="{LEFT}" y="{y:.1f}"'
        f' width="{values.median * scale:.1f}" height="{BAR}"/>',
        _text(high + 6, y + BAR - 3, number(values.median)),
    ]
    if values.low < values.high:
        drawn.append(
            f'<path class="spread" fill="none" d="M{low:.1f} {middle:.1f}H{high:.1f}'
            f'M{low:.1f} {middle - 3:.1f}v6M{high:.1f} {middle - 3:.1f}v6"/>'
        )
    return drawn


def _axis(top: float, y: float, step: float, end: float, scale: float, unit: str) -> list[str]:
    lines = []
    for tick in range(int(round(end / step)) + 1):
        x = LEFT + tick * step * scale
        kind = "grid" if tick else "axis"
        lines.append(f'<path class="{kind}" d="M{x:.1f} {top:.1f}V{y:.1f}"/>')
        lines.append(_text(x, y + 16, number(tick * step), anchor="middle"))
    lines.append(_text((LEFT + WIDTH - RIGHT) / 2, y + 34, unit, anchor="middle"))
    return lines


def number(value: float) -> str:
    """Short: 33.1, 250, 1.2 M."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 10000:
        return f"{value / 1e3:.3g} k"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'
