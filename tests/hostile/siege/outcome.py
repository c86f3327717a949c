# SPDX-License-Identifier: BSD-3-Clause
"""What came of an attack, the limits it is held against, and the table of all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Sequence

from siege.attack import Attack
from siege.honest import Interval
from siege.prober import Probes

RPC_LIMIT_MS = 100.0
HANDSHAKE_LIMIT_MS = 200.0
TIMES_UNDISTURBED = 2.0
MORE_THAN_UNDISTURBED_MS = 5.0


@dataclass
class Outcome:
    attack: Attack
    got: str
    quiet: Interval
    under: Interval
    probes: Probes
    broken: list[str] = field(default_factory=list)  # what must never be, in words

    def late(self) -> list[str]:
        """The limits of time that were missed, in words."""
        if not self.attack.judged:
            return []
        limit = max(
            self.quiet.p999 * TIMES_UNDISTURBED, self.quiet.p999 + MORE_THAN_UNDISTURBED_MS
        )
        checks = (
            ("p99.9 of the honest pair", self.under.p999, limit),
            ("slowest request", self.probes.rpc, RPC_LIMIT_MS),
            ("slowest session", self.probes.handshake, HANDSHAKE_LIMIT_MS),
        )
        return [
            f"{what} {value:.1f} ms, limit {most:.1f} ms"
            for what, value, most in checks if value > most
        ]

    def document(self) -> dict[str, Any]:
        return {
            "attack": self.attack.name, "kind": self.attack.kind, "got": self.got,
            "quiet": asdict(self.quiet), "under": asdict(self.under),
            "probes": asdict(self.probes), "broken": self.broken, "late": self.late(),
        }


HEADINGS = (
    "attack", "lost", "p99 ms", "p99.9 ms", "request ms", "session ms", "what the attacker got"
)


def pair_of(under: float, quiet: float) -> str:
    return f"{under:.2f} ({quiet:.2f})"


def row(outcome: Outcome) -> list[str]:
    under, quiet, probes = outcome.under, outcome.quiet, outcome.probes
    return [
        outcome.attack.name, str(under.lost), pair_of(under.p99, quiet.p99),
        pair_of(under.p999, quiet.p999), f"{probes.rpc:.1f}", f"{probes.handshake:.1f}",
        outcome.got,
    ]


def table(outcomes: Sequence[Outcome]) -> str:
    """In brackets the undisturbed time of the same run."""
    rows = [list(HEADINGS), *(row(outcome) for outcome in outcomes)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEADINGS) - 1)]
    lines = []
    for line in rows:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ]
        lines.append("  ".join([*cells, line[-1]]).rstrip())
    return "\n".join(lines)
