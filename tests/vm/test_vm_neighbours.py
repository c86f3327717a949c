# SPDX-License-Identifier: BSD-3-Clause
"""A guest, the host's kernel and a DPDK process on one switch."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import Iterator

import pytest
from two_guests import DPDK, TwoGuests

pytestmark = pytest.mark.timeout(480)

ADDRESS = "10.5.8.1"


@dataclass(frozen=True)
class Host:
    """A network namespace of this machine with a kernel port of the switch in it."""

    namespace: str

    def run(self, *command: str) -> str:
        done = subprocess.run(
            ["/usr/bin/ip", "netns", "exec", self.namespace, *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60.0,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout


@pytest.fixture(scope="session")
def host(two_guests: TwoGuests) -> Iterator[Host]:
    """Its port stays, so that the counters of the guests' switch still balance at the end."""
    namespace = f"vsw-vm-{os.getpid()}"
    subprocess.run(["/usr/bin/ip", "netns", "add", namespace], check=True)
    try:
        two_guests.add_port(
            "host", type="kernel", ifname="vsw0", netns=namespace, ip=[f"{ADDRESS}/16"]
        )
        yield Host(namespace)
    finally:
        subprocess.run(["/usr/bin/ip", "netns", "del", namespace], check=True)


@pytest.mark.parametrize("card", ["plain", "single", "oldbare"])
def test_three_neighbours_ping(two_guests: TwoGuests, host: Host, card: str) -> None:
    for payload in (18, 1472):
        two_guests.ping("a", card, ADDRESS, payload)
        two_guests.ping("a", card, DPDK, payload)
        for to in (DPDK, two_guests.address("a", card)):
            out = host.run("/bin/busybox", "ping", "-c", "2", "-i", "0.2", "-s", str(payload), to)
            assert "2 packets received" in out, out


@pytest.mark.parametrize("card", ["plain", "single", "oldbare"])
def test_guest_and_host_run_iperf(two_guests: TwoGuests, host: Host, card: str) -> None:
    """In both directions; a guest without offloads gets segments that the switch has cut."""
    seat = ("a", card)
    for direction in ((), ("--reverse",)):
        two_guests.start_iperf(seat)
        out = host.run("/usr/bin/iperf3", "-c", two_guests.address(*seat), "-n", "8M", *direction)
        assert re.search(r"\d+ [MG]bits/sec +receiver", out), out
        two_guests.served(seat, "iperf")
    segmented = two_guests.switch.stats(f"a-{card}")["offload"]["segmented"]
    assert (segmented > 0) == (card == "oldbare")
