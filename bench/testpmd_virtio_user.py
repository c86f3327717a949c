# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's own frontend: one `dpdk-testpmd` with two `net_virtio_user` ports, one forwarding lcore.

Its frames go round: what comes in at one port leaves at the other as it is (`io`, the cheapest that
testpmd has). A frame that was sent from the first port to the second thus always enters the switch
at the first, so that each station stays where it was learned. The mbufs are few: a large pool is
cycled through the cache and makes a fast backend look slow. Rings have the 256 entries that a
virtio_user device has unless told otherwise.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from bench.machine import thread_count
from support.process import Registry
from support.testpmd import ORDINARY_MEMORY, Testpmd, virtio_user

MBUFS = 8192
RING = 256
BURSTS = 4  # of 32 from each port: half a ring is under way in each direction
HUGE_MEMORY = ("--in-memory", "--single-file-segments")
BURSTS_SEEN = re.compile(r"RX-bursts : (\d+) \[(\d+)% of 0 pkts")
MACS = ("02:00:00:00:01:00", "02:00:00:00:01:01")


def arguments(size: int) -> list[str]:
    """What goes behind `--`. A frame's destination is the other port of the pair."""
    return [
        "--forward-mode=io", "--nb-cores=1", "--no-mlockall", "--burst=32",
        f"--rxd={RING}", f"--txd={RING}", f"--txpkts={size}",
        f"--eth-peer=0,{MACS[1]}", f"--eth-peer=1,{MACS[0]}",
    ]


def measure(
    directory: Path,
    sockets: Sequence[Path],
    thread: tuple[int, int],
    size: int,
    seconds: float,
    tsc_hz: float,
    huge: bool,
) -> dict[str, float]:
    """Frames that arrived at both ports over a window of the clock, and the backend's CPU time."""
    registry = Registry(directory)
    vdevs = [
        virtio_user(n, path, f"queue_size={RING},mac={MACS[n]},in_order=1,mrg_rxbuf=1")
        for n, path in enumerate(sockets[:2])
    ]
    pages = HUGE_MEMORY if huge else ORDINARY_MEMORY
    try:
        testpmd = Testpmd(
            registry, vdevs, *arguments(size), memory=256, mbufs=MBUFS, pages=pages
        )
        testpmd.command(f"start tx_first {BURSTS}")
        time.sleep(0.3)  # until all frames are on their way round
        before, cpu_before, begin = received(testpmd), thread_count(*thread), time.monotonic()
        time.sleep(seconds)
        after, cpu_after, end = received(testpmd), thread_count(*thread), time.monotonic()
        frames, empty = after[0] - before[0], empty_polls(testpmd)
    finally:
        registry.end_all()
    busy = (cpu_after.run_seconds - cpu_before.run_seconds) / (end - begin)
    return {
        "seconds": end - begin,
        "received": frames,
        "fps": frames / (end - begin),
        "backend_busy": busy,
        "empty_polls": empty,
        "bytes_per_frame": (after[1] - before[1]) / frames if frames else 0.0,
        "cycles_per_frame": busy * (end - begin) * tsc_hz / frames if frames else 0.0,
    }


def empty_polls(testpmd: Testpmd) -> float:
    """Share of the frontend's looks at its ports that find nothing; looked at after the measurement.

    Recording costs it something, so the rate is not measured meanwhile.
    """
    testpmd.command("set record-burst-stats on")
    time.sleep(0.1)
    shares = BURSTS_SEEN.findall(testpmd.command("show fwd stats all"))
    polls = sum(int(n) for n, _ in shares)
    return sum(int(n) * int(percent) / 100 for n, percent in shares) / polls if polls else 0.0


def received(testpmd: Testpmd) -> tuple[int, int]:
    """Frames and their bytes, of both ports."""
    stats = [testpmd.stats(port) for port in (0, 1)]
    return sum(s["RX-packets"] for s in stats), sum(s["RX-bytes"] for s in stats)
