# SPDX-License-Identifier: BSD-3-Clause
"""Ports that all have more to send than the switch has time for get the same share of that time."""

from __future__ import annotations

import os
from pathlib import Path

from support import Registry, wait_until
from support.fixture_types import MakeSwitch
from support.process import PROJECT

PORTS = 8
SECONDS = 12.0
SINK = "02:00:00:00:ff:ff"


def test_a_greedy_port_gets_no_more_than_the_others(
    make_switch: MakeSwitch, registry: Registry
) -> None:
    """Eight full rings; the chains of the first have 16 descriptors, so its turns are dear."""
    switch = make_switch()
    names = [f"p{number}" for number in range(PORTS)]
    for name in [*names, "sink"]:
        switch.add_port(name)
    switch.call("fdb.add", mac=SINK, port="sink")
    build = Path(os.environ.get("VSWITCH_BUILD", "build"))
    program = (build if build.is_absolute() else PROJECT / build) / "tests/hostile/full_rings"
    frontend = registry.start(
        "full-rings", [str(program), f"{SECONDS}", "16", *(str(switch.path(name)) for name in names)]
    )
    for name in names:
        switch.wait_state(name, "up")

    def shares() -> list[float]:
        return [float(switch.port(name)["time"]["turns_percent"]) for name in names]

    def is_fair() -> bool:
        seen = shares()
        mean = sum(seen) / len(seen)
        return mean > 1.0 and all(0.8 * mean <= share <= 1.2 * mean for share in seen)

    wait_until("each port has an eighth of the worker's time", is_fair, SECONDS - 2.0,
               explain=lambda: str(shares()))
    rates = [float(switch.port(name)["rates"]["rx_fps"]) for name in names]
    assert rates[0] < min(rates[1:]), rates  # the same time, and dearer frames
    assert frontend.wait(SECONDS + 20.0) == 0
