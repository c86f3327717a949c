# SPDX-License-Identifier: BSD-3-Clause
"""The honest pair: what `honest-pair` (C) counts and measures, cut into intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from siege.spoken import Spoken
from support.process import Registry, binary
from support.switch import Switch

B_MAC, C_MAC = "02:00:00:00:b0:0b", "02:00:00:00:c0:0c"


@dataclass(frozen=True)
class Interval:
    """What happened to the frames from B to C; times in milliseconds, from when each was due."""

    seconds: float
    seen: int
    lost: int
    doubled: int
    disordered: int
    spoilt: int
    foreign: int
    held: int
    p50: float
    p99: float
    p999: float
    longest: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Interval:
        delay = told["delay_ms"]
        counts = {name: told[name] for name in (
            "seconds", "seen", "lost", "doubled", "disordered", "spoilt", "foreign", "held")}
        return cls(
            **counts, p50=delay["p50"], p99=delay["p99"], p999=delay["p999"], longest=delay["max"]
        )

    def wrongs(self, forgiven: int = 0) -> list[str]:
        """What must never happen to a frame, in words; so many may be lost."""
        kinds = (
            ("lost", max(self.lost - forgiven, 0)), ("doubled", self.doubled), ("out of order", self.disordered),
            ("with a wrong byte", self.spoilt),
        )
        return [f"{count} honest frames {what}" for what, count in kinds if count]


class HonestPair:
    """Ports `b` and `c` of a switch, and the process that is their frontend."""

    def __init__(self, registry: Registry, switch: Switch) -> None:
        for port, mac in (("b", B_MAC), ("c", C_MAC)):
            switch.add_port(port)
            switch.call("fdb.add", mac=mac, port=port)
        argv = [binary("tests/hostile/honest-pair"), switch.path("b"), switch.path("c")]
        self._spoken = Spoken(registry, "honest-pair", [*map(str, argv), B_MAC, C_MAC])
        self._spoken.wait_mark("ready")
        for port in ("b", "c"):
            switch.wait_state(port, "up")

    def rate(self, frames_per_second: float) -> None:
        self._spoken.say(f"rate {frames_per_second:.0f}")

    def full_rate(self) -> None:
        """As many as come through with half a ring outstanding."""
        self._spoken.say("rate max")

    def cut(self) -> Interval:
        """The interval since the last cut."""
        return Interval.of(self._spoken.ask())

    def end(self) -> Interval:
        """Sends no more; what was outstanding has arrived, or is counted as lost."""
        self._spoken.say("end")
        told = self._spoken.wait_mark("end")
        self._spoken.process.wait()
        interval = Interval.of(told)
        assert told["outstanding"] == 0, f"frames still outstanding after the end: {told}"
        return interval
