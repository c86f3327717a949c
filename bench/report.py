# SPDX-License-Identifier: BSD-3-Clause
"""Rows out of samples, and the table and the JSON out of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.cases import Case
from bench.peer import Peer
from bench.peers import OURS, PEERS, WITH_INTERFACES
from bench.rounds import Result
from bench.statistics import PHASES, Sample, Spread, paired_ratios, spread, values_of

FORMAT = 1


@dataclass(frozen=True)
class Row:
    """One peer in one case, with the CPUs in one phase."""

    case: str
    peer: str
    phase: str
    unit: str
    value: Spread | None  # undisturbed samples
    value_all: Spread | None  # and the disturbed ones
    fps: float | None  # median, where frames were counted
    limit: str  # the side that could not go faster, in most samples
    ratio: Spread | None  # how many times ours is the better: pairs of undisturbed samples
    ratio_all: Spread | None  # all pairs
    target: float | None
    target_met: bool | None  # None: no target, or not measurable in this phase

    @property
    def key(self) -> tuple[str, str, str]:
        return self.case, self.peer, self.phase


def rows_of(case: Case, samples: Sequence[Sample]) -> list[Row]:
    """For each phase that was seen, the peers in the order of their turns."""
    rows = []
    for phase in PHASES:
        for peer in case.peers:
            measured = [s for s in samples if s.peer == peer and s.phase == phase]
            measured = [s for s in measured if s.value is not None]
            if measured:
                rows.append(_row(case, samples, measured, peer, phase))
    return rows


def _row(
    case: Case, samples: Sequence[Sample], measured: Sequence[Sample], peer: str, phase: str
) -> Row:
    metric = case.measurement.metric
    ratio: list[Spread | None] = [None, None]
    if peer != OURS:
        ratio = [
            spread(paired_ratios(samples, OURS, peer, phase, metric.less_is_better, disturbed))
            for disturbed in (False, True)
        ]
    value = spread(values_of(samples, peer, phase))
    value_all = spread(values_of(samples, peer, phase, True))
    target, met = _target(case, peer, phase, value or value_all, ratio[0])
    calm = [s for s in measured if not s.disturbed] or measured
    fps = [s.numbers["fps"] for s in calm if "fps" in s.numbers]
    return Row(
        case.name, peer, phase, metric.unit, value, value_all,
        median(fps) if fps else None,
        Counter(s.limit for s in calm).most_common(1)[0][0],
        ratio[0], ratio[1], target, met,
    )


def _target(
    case: Case, peer: str, phase: str, value: Spread | None, ratio: Spread | None
) -> tuple[float | None, bool | None]:
    """Ratios are wished with the CPUs near; what we must stay below, always."""
    if peer == OURS:
        if case.most is None or value is None:
            return case.most, None
        return case.most, value.median < case.most
    target = case.targets.get(peer)
    if target is None or ratio is None or (phase == "far" and not case.far_counts):
        return target, None
    return target, ratio.median >= target


# The table.

HEADINGS = ("case", "peer", "CPUs", "unit", "median", "low..high", "n", "frames/s", "limit",
            "times ours", "low..high", "n", "with disturbed", "target")
LEFT = (0, 1, 2, 3, 8, 13)  # columns of words


def table(rows: Sequence[Row], cases: Mapping[str, Case]) -> str:
    lines = [HEADINGS] + [_cells(row, cases[row.case]) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    text = []
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if i in LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ]
        if number > 1 and line[0] != lines[number - 1][0]:
            text.append("")
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def _cells(row: Row, case: Case) -> tuple[str, ...]:
    decimals = case.measurement.metric.decimals
    value = row.value or row.value_all
    assert value is not None, "a row has samples"
    bound = "<= " if row.unit == "cycles/frame" and row.limit != "backend" else ""
    mark = "" if row.value else " *"
    return (
        row.case, PEERS[row.peer].title, row.phase, row.unit,
        f"{bound}{value.median:,.{decimals}f}{mark}", _extremes(value, decimals), f"{value.n}",
        f"{row.fps:,.0f}" if row.fps is not None else "-", row.limit,
        *_ratio_cells(row), _target_cell(row, case),
    )


def _extremes(values: Spread, decimals: int) -> str:
    return f"{values.low:,.{decimals}f}..{values.high:,.{decimals}f}"


def _ratio_cells(row: Row) -> tuple[str, str, str, str]:
    everything = f"{row.ratio_all.median:.2f} ({row.ratio_all.n})" if row.ratio_all else "-"
    if row.ratio is None:
        return "-", "-", "-", everything
    return f"{row.ratio.median:.2f}", _extremes(row.ratio, 2), f"{row.ratio.n}", everything


def _target_cell(row: Row, case: Case) -> str:
    if row.target is None:
        return "-"
    wish = f"under {row.target:g}" if row.peer == OURS else f"{row.target:g}"
    if row.target_met is not None:
        return f"{wish} {'met' if row.target_met else 'MISSED'}"
    return f"{wish} {'only near counts' if row.phase == 'far' and not case.far_counts else '?'}"


def notes(result: Result) -> str:
    """What the table does not say by itself."""
    disturbed = [s for s in result.samples if s.disturbed]
    failed = [s for s in result.samples if s.error]
    lines = [
        "times ours: how many times vswitch is the better; median of pairs of one round with the",
        "CPUs in one phase (near: a dirty line goes to and fro in under 600 cycles; any: it does not",
        "matter). Disturbed samples are left out of it, and of medians (* where there are no others);",
        "'with disturbed' has them in.",
        "<=: the backend was not the limit, so that its cycles are an upper bound.",
        f"Samples: {len(result.samples)}, disturbed {len(disturbed)}, failed {len(failed)}.",
    ]
    lines += [f"disturbed: {_where(s)}: {'; '.join(s.disturbed)}" for s in disturbed]
    lines += [f"failed: {_where(s)}: {s.error}" for s in failed]
    return "\n".join(lines + result.absent)


def _where(sample: Sample) -> str:
    value = "" if sample.value is None else f", {sample.value:,.1f}"
    return f"{sample.case} {sample.peer}, round {sample.round + 1}{value}"


# The JSON.


def _peers(peers: Mapping[str, type[Peer]]) -> dict[str, dict[str, str]]:
    return {
        name: {"title": peer.title, "version": peer.version(), "settings": peer.settings()}
        for name, peer in peers.items()
    }


def document(
    result: Result, rows: Sequence[Row], machine: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "machine": dict(machine),
        "settings": dict(settings),
        "peers": _peers(PEERS),
        "peers_with_interfaces": _peers(WITH_INTERFACES),
        "interrupted": result.interrupted,
        "absent": result.absent,
        "rows": [asdict(row) for row in rows],
        "samples": [sample.as_json() for sample in result.samples],
    }
