# SPDX-License-Identifier: BSD-3-Clause
"""Who is blamed for a worker's time, on a running switch: who caused it, and nobody else."""

from __future__ import annotations

import ctypes
import os
import re
import time
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Sequence

import pytest
from bench.machine import thread_by_name
from cgroup import CpuGroup, MemoryGroup
from siege.attacks.waits import GIB, FreshBuffers, two_regions
from siege.floods import SENDER, TARGET, Flood, announce, check, libc, populate, roomy
from siege.honest import HonestPair
from support import RawFrontend, Registry, Switch, wait_until
from support.frames import frame
from support.memory import MIB, PAGE
from support.process import binary
from support.ring import WRITE

RATE = 20_000  # frames a second of the honest pair
CPU_SHARE = 0.05
PRESSED_SECONDS = 12.0  # more than the time in which waits are summed up
MACS = ("02:00:00:00:0c:01", "02:00:00:00:0c:02")
BUFFER, FRAME, FRESH = PAGE, 1514, 64 * MIB
STRIDE = 64 << 10
HELD = 0.01  # seconds
SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000  # of ptrace(2) and waitpid(2)


def assert_innocent(switch: Switch, ports: Sequence[str], rest: float = 0.0) -> None:
    """None is at fault, and none rests, or for so many seconds in all at most."""
    for name in ports:
        port = switch.port(name)
        print(name, port["time"])
        assert port["state"] == "up" and port["fault"] is None, port
        assert port["time"]["rested_s"] <= rest, port["time"]
        assert rest > 0 or "resting" not in switch.drops(name)


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


# One process, so that nothing of it is left in the cgroup when it is ended.
HOG = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
block = bytes(1 << 20)
while True:
    for n in range(512):
        os.pwrite(file, block, n << 20)
"""


def test_memory_pressure(registry: Registry, workdir: Path) -> None:
    """Each page that the switch adds must be freed first: its cgroup is full of a file's pages."""
    with closing(MemoryGroup(160 * MIB)) as group, ExitStack() as stack:
        disk = stack.enter_context(TemporaryDirectory(dir="/var/tmp"))  # /tmp may be memory itself
        argv = ["/usr/bin/python3", "-c", HOG, f"{disk}/hog"]
        hog = registry.start("hog", [*group.wrapper, *argv])
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
        # The kernel may make room elsewhere too, by which a port may be slow for a moment.
        assert_innocent(switch, ("b", "c"), rest=0.5)


class Big:
    """A frontend with much memory, each page of which the switch has mapped in."""

    def __init__(self, switch: Switch, port: str, size: int) -> None:
        self.size = size
        self.frontend = RawFrontend(switch.path(port), two_regions(size)).handshake()
        switch.wait_state(port, "up")
        self.ring, self.region = self.frontend.rx, self.frontend.memory.regions[1]
        populate(self.region.fd, 0, size)
        announce(self.frontend, TARGET)

    def fill(self, flood: Flood) -> None:
        """Lets the frames of the flood lie everywhere."""
        ring = self.ring
        for index in range(ring.size):
            ring.set_avail_entry(index, index)
        for start in range(0, self.size, ring.size * STRIDE):
            for index in range(ring.size):
                address = self.region.guest_phys_addr + start + index * STRIDE
                ring.write_descriptor(index, address, STRIDE, WRITE)
            target = (ring.avail_idx + ring.size) & 0xFFFF
            ring.avail_idx = target

            def is_full() -> bool:
                flood.pump()
                return ring.used_idx == target

            wait_until("the buffers are used", is_full, 60.0)

    def vanish(self) -> None:
        """The switch has the last references."""
        self.frontend.memory.close()
        self.frontend.socket.close()
        for ring in self.frontend.rings:
            ring.close()


def is_mapped(switch: Switch, size: int) -> bool:
    """Whether the switch has a mapping of a frontend's memory that is so large."""
    for line in Path(f"/proc/{switch.pid}/maps").read_text().splitlines():
        start, end = (int(word, 16) for word in line.split()[0].split("-"))
        if "memfd:guest" in line and end - start >= size:
            return True
    return False


@pytest.mark.timeout(300)
def test_end_of_a_big_guest(switch: Switch, registry: Registry) -> None:
    """Gigabytes are unmapped while others carry frames, some of them into pages that are not there."""
    size = 4 * GIB
    pair = HonestPair(registry, switch)
    pair.rate(RATE)
    for name in ("big", "caller"):
        switch.add_port(name, mtu=65535)
    for name in ("f", "g"):
        switch.add_port(name)
    with RawFrontend(switch.path("caller"), roomy()).handshake() as caller, ExitStack() as stack:
        big = Big(switch, "big", size)
        big.fill(Flood(caller, [frame(TARGET, SENDER, 60_000)]))
        ends = [
            stack.enter_context(closing(Fresh(switch, name, mac, to)))
            for name, mac, to in zip(("f", "g"), MACS, reversed(MACS))
        ]

        def is_over() -> bool:
            for end in ends:
                end.pump()
            return not is_mapped(switch, size)

        assert not is_over()
        pair.cut()
        big.vanish()
        wait_until("the memory is unmapped", is_over, 60.0)
        assert_innocent(switch, ("b", "c", "f", "g"))
    interval = pair.end()
    print(f"p99.9 {interval.p999} ms, longest {interval.longest} ms")
    assert interval.wrongs() == []


# What a port has earned.

def held(tid: int, seconds: float) -> None:
    """A thread is held by the kernel for so long, wherever it is: as a debugger does it."""
    ptrace(SEIZE, tid)
    ptrace(INTERRUPT, tid)
    os.waitpid(tid, WALL)
    time.sleep(seconds)
    ptrace(DETACH, tid)


def ptrace(request: int, tid: int) -> None:
    check(libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None))


def worker_of(switch: Switch) -> int:
    worker = thread_by_name(switch.pid, "worker-0")
    assert worker is not None, "the switch has no worker"
    return worker


def spent(switch: Switch, port: str = "moody") -> dict[str, float]:
    found: dict[str, float] = switch.port(port)["time"]
    return found


def session_with_a_rest(switch: Switch, registry: Registry) -> float:
    """The worker has no other port than this one, and is held at it once; for how long it rests then."""
    frontend = registry.start("full-rings", [
        str(binary("tests/hostile/full_rings")), "60", "1", str(switch.path("moody")),
    ])
    switch.wait_state("moody", "up")
    worker, before = worker_of(switch), spent(switch)

    def was_held() -> bool:
        held(worker, HELD)
        return spent(switch)["stalls"] > before["stalls"]

    wait_until("the worker is held in a turn of the port", was_held, explain=lambda: str(spent(switch)))
    rest = spent(switch)["rested_s"] - before["rested_s"]
    frontend.kill()
    switch.wait_state("moody", "waiting")
    return rest


def test_rests_outlive_sessions(switch: Switch, registry: Registry) -> None:
    """A frontend that comes anew finds the port as the last one left it."""
    switch.add_port("moody")
    first = session_with_a_rest(switch, registry)
    wait_until("the rest is over", lambda: spent(switch)["resting_s"] == 0)
    second = session_with_a_rest(switch, registry)
    print(f"rests of {first} and {second} s")
    assert 0.09 < first < 0.11 and second > 256 * HELD / 2
    switch.add_port("x")
    with RawFrontend(switch.path("moody")).handshake() as calm, RawFrontend(
        switch.path("x")
    ).handshake() as other:
        for port in ("moody", "x"):
            switch.wait_state(port, "up")
        switch.call("fdb.add", mac=TARGET, port="moody")
        other.send(*[frame(TARGET, SENDER)] * 10)
        other.flush()
        calm.send(frame(SENDER, TARGET))
        switch.wait_only("x", rx_frames=10, rx_bytes=640, copies_due=10)
        assert calm.poll() is None and calm.tx.used_idx == 0
        assert switch.drops("moody") == {"resting": 10}
        shown = switch.ctl("drops", "moody").stdout
        assert re.search(r"resting.*\b10\b", shown), shown
        assert spent(switch)["resting_s"] > 0
        calm.flush(60.0)
        assert spent(switch)["resting_s"] == 0
        other.send(frame(TARGET, SENDER))
        assert len(calm.receive().frame) == 64
        assert switch.port("moody")["fault"] is None
