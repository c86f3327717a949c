# SPDX-License-Identifier: BSD-3-Clause
"""Who is blamed for a worker's time, on a running switch: who caused it, and nobody else."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Callable, Iterator, Optional, Sequence, Type

import pytest
from cgroup import CpuGroup, MemoryGroup
from siege.attacks.waits import FreshBuffers, two_regions
from siege.floods import SENDER, TARGET, Flood, announce, populate, punch, roomy
from siege.honest import HonestPair
from vswitch import RawFrontend, Registry, Switch, wait_until
from vswitch.frames import frame
from vswitch.frontend import Setup
from vswitch.memory import MIB, PAGE
from vswitch.ring import NO_NOTIFY, WRITE
from vswitch.waiting import WaitTimeout

GIB = 1024 * MIB
RATE = 20_000  # frames a second of the honest pair
CPU_SHARE = 0.05
PRESSED_SECONDS = 12.0  # more than the time in which waits are summed up
MACS = ("02:00:00:00:0c:01", "02:00:00:00:0c:02")
BUFFER, FRAME, FRESH = PAGE, 1514, 64 * MIB


def assert_innocent(switch: Switch, ports: Sequence[str]) -> None:
    for name in ports:
        port = switch.port(name)
        print(name, port["time"])
        assert port["state"] == "up" and port["fault"] is None, port
        assert port["time"]["rested_s"] == 0, port["time"]
        assert "resting" not in switch.drops(name)


# Time that the host takes.

def test_cpu_limit(registry: Registry, workdir: Path) -> None:
    """A switch whose CPU the host limits is slow for everybody, and nobody's port is blamed."""
    with closing(CpuGroup()) as group, Switch(
        registry, workdir / "s", wrapper=group.wrapper
    ) as switch:
        pair = HonestPair(registry, switch)
        pair.rate(RATE)
        group.limit(CPU_SHARE)
        before = group.throttled()
        wait_until("it was held up", lambda: group.throttled() > before + 20, 40.0)
        group.limit(1.0)
        assert_innocent(switch, ("b", "c"))
        assert pair.end().wrongs() == []


class Fresh:
    """A frontend whose receive buffers always lie on pages that are not there."""

    def __init__(self, switch: Switch, port: str, mac: str, to: str) -> None:
        self.frontend = RawFrontend(switch.path(port), two_regions(FRESH)).handshake()
        switch.wait_state(port, "up")
        announce(self.frontend, mac)
        self.buffers = FreshBuffers(self.frontend, 1, BUFFER)
        self.flood = Flood(self.frontend, [frame(to, mac, FRAME)])

    def pump(self) -> None:
        self.buffers.pump()
        self.flood.pump()

    def close(self) -> None:
        self.frontend.close()


HOG = "while :; do dd if=/dev/zero of=\"$0\" bs=1M count=512 conv=notrunc 2>/dev/null; done"


def test_memory_pressure(registry: Registry, workdir: Path) -> None:
    """Each page that the switch adds must be freed first: its cgroup is full of a file's pages."""
    with closing(MemoryGroup(160 * MIB)) as group, ExitStack() as stack:
        hog = registry.start("hog", [*group.wrapper, "/bin/bash", "-c", HOG, str(workdir / "hog")])
        stack.callback(hog.kill)
        switch = stack.enter_context(Switch(registry, workdir / "s", wrapper=group.wrapper))
        for name in ("b", "c"):
            switch.add_port(name)
        ends = [
            stack.enter_context(closing(Fresh(switch, name, mac, to)))
            for name, mac, to in zip(("b", "c"), MACS, reversed(MACS))
        ]
        start = time.monotonic()
        while time.monotonic() < start + PRESSED_SECONDS:
            for end in ends:
                end.pump()
            time.sleep(0.001)
        print([end.buffers.touched for end in ends], [switch.drops(name) for name in ("b", "c")])
        assert not group.killed()
        assert_innocent(switch, ("b", "c"))
