# SPDX-License-Identifier: BSD-3-Clause
"""Samples between two interfaces in network namespaces of their own, by sockets of the kernel."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Measurement, Metric, Numbers, Stand
from bench.peer import Peer
from support.namespaces import end_address, run_tool
from support.process import ProcessFailed, Registry
from support.waiting import wait_until

IPERF = "/usr/bin/iperf3"
LIMIT = 20.0  # beyond the time that a measurement is told to take
TRIPS_A_SECOND = 10000  # more than anybody has managed here

GIGABITS = Metric("gbps", "Gbit/s", False, 2)
MEDIAN_TRIP = Metric("p50_us", "µs", True, 1)
LONG_TRIP = Metric("p99_us", "µs", True, 1)


@dataclass(frozen=True)
class TcpStream(Measurement):
    """One stream of iperf3 from the first end to the second, as much as goes."""

    metric: Metric = GIGABITS

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        with tempfile.TemporaryDirectory(dir=stand.directory) as directory:
            registry = Registry(Path(directory))
            try:
                self._serve(registry, peer)
                return stream_numbers(json.loads(self._send(stand, peer)))
            finally:
                registry.end_all()

    @staticmethod
    def _serve(registry: Registry, peer: Peer) -> None:
        server = registry.start(
            "iperf3", peer.ends[1].command(IPERF, "--server", "--one-off", "--forceflush")
        )

        def listens() -> bool:
            if server.status is not None:
                raise ProcessFailed(server.report("ended before it listened"))
            return "listening" in server.out()

        wait_until("iperf3 listens", listens, LIMIT, server.tail)

    def _send(self, stand: Stand, peer: Peer) -> str:
        seconds = self.whole_seconds(stand.seconds)
        words = ["--client", end_address(1), "--json", "--time", f"{seconds}"]
        return run_tool(peer.ends[0].command(IPERF, *words), seconds + LIMIT)

    @staticmethod
    def whole_seconds(seconds: float) -> int:
        """iperf3 knows no others; with two the first milliseconds, which are slow, weigh little."""
        return max(1, round(2 * seconds))

    def duration(self, seconds: float) -> float:
        return self.whole_seconds(seconds) + 0.5


def stream_numbers(answer: Mapping[str, Any]) -> Numbers:
    """What iperf3's client says at the end: the receiver's rate, in Gbit/s."""
    end = answer["end"]
    received, sent = end["sum_received"], end["sum_sent"]
    if not received["bytes"]:
        raise ValueError("no byte arrived")
    return {
        "gbps": received["bits_per_second"] / 1e9,
        "seconds": received["seconds"],
        "retransmits": sent["retransmits"],
        "sender_cpu_percent": end["cpu_utilization_percent"]["host_total"],
        "receiver_cpu_percent": end["cpu_utilization_percent"]["remote_total"],
    }


@dataclass(frozen=True)
class RoundTrips(Measurement):
    """Questions and answers of 64 B, one after the other."""

    protocol: str
    metric: Metric = MEDIAN_TRIP

    def take(self, stand: Stand, peer: Peer) -> Numbers:
        count = max(1000, int(TRIPS_A_SECOND * stand.seconds))
        ends = [end.path for end in peer.ends]
        numbers = dict(stand.raw.trips(self.protocol, ends, end_address(1), count))
        if numbers["lost"]:
            raise ValueError(f"{numbers['lost']:.0f} of {count} answers did not arrive")
        return numbers
