# SPDX-License-Identifier: BSD-3-Clause
"""Samples, their medians and spread, and ratios of samples that may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

NEAR_CYCLES = 600  # round trips below are "near"
PHASES = ("near", "far", "any")


def phase_of(round_trip_cycles: float) -> str:
    """"any" of 0: nobody looked, for it does not matter."""
    if round_trip_cycles == 0:
        return "any"
    return "near" if round_trip_cycles < NEAR_CYCLES else "far"


@dataclass
class Sample:
    """One measurement of one peer in one round."""

    case: str
    peer: str
    round: int
    probe: float  # cycles of a round trip, before; 0: it does not matter
    value: float | None = None  # of the case's metric; None: it failed
    limit: str = "-"  # which side could not go faster
    numbers: dict[str, float] = field(default_factory=dict)
    disturbed: list[str] = field(default_factory=list)  # in words; empty: it was not
    error: str = ""

    @property
    def phase(self) -> str:
        return phase_of(self.probe)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "phase": self.phase}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sample:
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in data.items() if name in names})


@dataclass(frozen=True)
class Spread:
    """Of some values: median, extremes, and how many they were."""

    median: float
    low: float
    high: float
    n: int


def spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(median(values), min(values), max(values), len(values))


def mark_phase_changes(samples: Sequence[Sample], last_probe: float) -> None:
    """Marks samples whose CPUs moved: the next probe, which is `last_probe` at the end, tells."""
    probes = [sample.probe for sample in samples[1:]] + [last_probe]
    for sample, after in zip(samples, probes):
        if sample.phase != phase_of(after):
            sample.disturbed.append(f"CPUs moved ({sample.probe:.0f} to {after:.0f} cycles)")


def usable(samples: Sequence[Sample], phase: str, with_disturbed: bool) -> list[Sample]:
    return [
        s for s in samples
        if s.value is not None and s.phase == phase and (with_disturbed or not s.disturbed)
    ]


def values_of(
    samples: Sequence[Sample], peer: str, phase: str, with_disturbed: bool = False
) -> list[float]:
    chosen = usable(samples, phase, with_disturbed)
    return [s.value for s in chosen if s.peer == peer and s.value is not None]


def paired_ratios(
    samples: Sequence[Sample],
    ours: str,
    peer: str,
    phase: str,
    less_is_better: bool,
    with_disturbed: bool = False,
) -> list[float]:
    """How many times ours is the better, round by round, samples of the same phase only."""
    by_round: dict[int, dict[str, float]] = {}
    for sample in usable(samples, phase, with_disturbed):
        if sample.value:
            by_round.setdefault(sample.round, {})[sample.peer] = sample.value
    pairs = [(r[ours], r[peer]) for r in by_round.values() if ours in r and peer in r]
    return [theirs / own if less_is_better else own / theirs for own, theirs in pairs]
